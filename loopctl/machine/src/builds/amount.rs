//! How much of a build is left: the Go packages that go into it, in the order in which they are compiled.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;

/// Source that one program's linking takes as long as.
const LINKING: u64 = 1_000_000;

/// What `go list -deps -json` says of a package.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    import_path: String,
    name: String,
    dir: PathBuf,
    #[serde(default)]
    go_files: Vec<String>,
}

#[derive(Default)]
pub struct Amount {
    /// Bytes of source, and whether their compilation was seen to begin.
    packages: Vec<(u64, bool)>,
    /// Where a package stands. Two modules may have one of the same name, and are built one after the other.
    places: HashMap<String, Vec<usize>>,
    /// Where the programs stand that are still missing.
    programs: VecDeque<usize>,
    compiled: u64,
    /// What stands before it is compiled, is being compiled, or was kept from an earlier build.
    reached: usize,
    begin: Option<Instant>,
}

impl Amount {
    /// Adds what is built after all that was added before.
    pub fn add(&mut self, listed: &str) -> Result<()> {
        for package in serde_json::Deserializer::from_str(listed).into_iter::<Listed>() {
            let package = package.context("`go list` answers otherwise than expected")?;
            let size = |file: &String| fs::metadata(package.dir.join(file)).map_or(0, |about| about.len());
            let bytes = package.go_files.iter().map(size).sum();
            self.push(package.import_path, bytes, package.name == "main");
        }
        Ok(())
    }

    fn push(&mut self, package: String, bytes: u64, is_program: bool) {
        let place = self.packages.len();
        self.places.entry(package).or_default().push(place);
        self.packages.push((bytes, false));
        if is_program {
            self.programs.push_back(place);
        }
    }

    /// True when it is a package of this build; its compilation has begun. The go command goes by the same order,
    /// and does not name what it need not compile.
    pub fn begun(&mut self, package: &str) -> bool {
        let Some(places) = self.places.get(package) else { return false };
        let places = places.iter().filter(|place| !self.packages[**place].1);
        let Some(place) = places.copied().min() else { return true };
        self.packages[place].1 = true;
        self.compiled += self.packages[place].0;
        self.reached = self.reached.max(place + 1);
        self.begin.get_or_insert_with(Instant::now);
        true
    }

    /// The next program is there, and so is all that stands before it.
    pub fn linked(&mut self) {
        let place = self.programs.pop_front().unwrap_or_default();
        self.reached = self.reached.max(place + 1);
        self.compiled += LINKING;
    }

    /// From the speed so far; None while there is too little of it.
    pub fn time_left(&self) -> Option<Duration> {
        self.time_left_after(self.begin?.elapsed())
    }

    fn time_left_after(&self, elapsed: Duration) -> Option<Duration> {
        const ENOUGH: u64 = 1_000_000;
        let left: u64 = self.packages[self.reached..].iter().map(|(bytes, _)| bytes).sum();
        let left = left + LINKING * self.programs.len() as u64;
        (self.compiled >= ENOUGH).then(|| elapsed.mul_f64(left as f64 / self.compiled as f64))
    }
}

/// As a person would say it who does not know better.
pub fn roughly(left: Option<Duration>) -> String {
    match left.map(|left| left.as_secs().div_ceil(60)) {
        None => "the time left is not known yet".into(),
        Some(0 | 1) => "about a minute left".into(),
        Some(minutes) => format!("about {minutes} minutes left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten packages of a million bytes each; the fifth and the tenth are programs.
    fn ten() -> Amount {
        let mut amount = Amount::default();
        for number in 0..10 {
            amount.push(number.to_string(), 1_000_000, number % 5 == 4);
        }
        amount
    }

    fn left(amount: &Amount) -> String {
        roughly(amount.time_left_after(Duration::from_secs(120)))
    }

    #[test]
    fn the_time_left_follows_from_the_speed_so_far() {
        let mut amount = ten();
        assert_eq!(left(&amount), "the time left is not known yet");
        for package in ["0", "1", "2", "3"] {
            assert!(amount.begun(package));
        }
        assert_eq!(left(&amount), "about 4 minutes left");
        assert!(!amount.begun("# an error"));
    }

    #[test]
    fn what_an_earlier_build_has_kept_is_not_counted_as_left() {
        let mut amount = ten();
        amount.begun("3");
        amount.begun("4");
        assert_eq!(left(&amount), "about 7 minutes left");
        amount.linked();
        assert_eq!(left(&amount), "about 4 minutes left");
        amount.linked();
        assert_eq!(left(&amount), "about a minute left");
    }

    #[test]
    fn a_package_that_two_modules_have_is_compiled_twice() {
        let mut amount = ten();
        amount.push("0".into(), 2_000_000, true);
        for compiled in [1_000_000, 3_000_000, 3_000_000] {
            assert!(amount.begun("0"));
            assert_eq!(amount.compiled, compiled);
        }
    }

    #[test]
    fn what_go_says_of_packages_is_read_one_after_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.go"), "package a\n").expect("a file");
        let dir = folder.path().display();
        let said = format!(
            "{{\"ImportPath\": \"a\", \"Name\": \"a\", \"Dir\": \"{dir}\", \"GoFiles\": [\"a.go\"]}}\n\
             {{\"ImportPath\": \"b\", \"Name\": \"main\", \"Dir\": \"{dir}\"}}\n"
        );
        let mut amount = Amount::default();
        amount.add(&said).expect("it is what go says");
        assert_eq!(amount.packages, [(10, false), (0, false)]);
        assert_eq!(amount.programs, [1]);
    }
}
