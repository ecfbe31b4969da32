//! The runs and what is kept of each: one folder a run, named by its number.
//!
//! Everything about a run is in its folder, so a git server that was killed and started again
//! knows what runs, what waits and what has ended.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

pub use super::record::{Conclusion, Outcome, Request, StepOutcome};
use crate::Place;
use crate::private::write_private;

pub struct Run {
    pub number: u64,
    pub folder: PathBuf,
}

impl Run {
    pub fn of(place: &Place, number: u64) -> Self {
        Self { number, folder: root(place).join(number.to_string()) }
    }

    /// Takes the next number and writes down what is to be run.
    pub fn call(place: &Place, workflow: &str, request: &Request) -> Result<Self> {
        place.folder("runs")?;
        let mut number = all(place)?.last().map_or(1, |last| last.number + 1);
        // Two pushes may come at once; making a folder is what only one of them can do.
        let run = loop {
            let run = Self::of(place, number);
            match fs::create_dir(&run.folder) {
                Ok(()) => break run,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error).with_context(|| format!("cannot make {}", run.folder.display())),
            }
        };
        // As it is in the pushed commit, which is the one that GitHub would run too.
        write_private(&run.folder.join("workflow.yml"), workflow)?;
        write_private(&run.folder.join("request.json"), &serde_json::to_string_pretty(request)?)?;
        Ok(run)
    }

    /// None while it is being called.
    pub fn request(&self) -> Result<Option<Request>> {
        read(&self.folder.join("request.json"))
    }

    /// None while it has not ended.
    pub fn outcome(&self) -> Result<Option<Outcome>> {
        read(&self.folder.join("result.json"))
    }

    /// Holds the run for the calling process, which is then the one that runs it.
    pub fn hold(&self) -> Result<File> {
        let file = self.held()?;
        let begin = Instant::now();
        // Whoever asks `is_running` is in the way for a moment.
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if begin.elapsed() > Duration::from_secs(2) {
                bail!("run {} is already being run", self.number);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(file)
    }

    pub fn is_running(&self) -> Result<bool> {
        Ok(flock(self.held()?, FlockOperation::NonBlockingLockShared).is_err())
    }

    fn held(&self) -> Result<File> {
        let path = self.folder.join("held");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))
    }

    /// Below `parts/` like every part's group, so that the end of the loop is its end too.
    pub fn control_group(&self) -> String {
        format!("workflow/run-{}", self.number)
    }

    /// The user that the run is to the registry.
    pub fn registry_user(&self) -> String {
        format!("run-{}", self.number)
    }

    /// What the jobs write while they run; it goes when the run ends.
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// One line a step, as it begins and as it ends.
    pub fn progress(&self) -> PathBuf {
        self.folder.join("progress")
    }

    pub fn summary(&self) -> PathBuf {
        self.folder.join("summary.md")
    }
}

fn root(place: &Place) -> PathBuf {
    place.state.join("runs")
}

/// All runs, the oldest first.
pub fn all(place: &Place) -> Result<Vec<Run>> {
    let Ok(entries) = fs::read_dir(root(place)) else { return Ok(Vec::new()) };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(entry?.file_name().to_string_lossy().parse::<u64>());
    }
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| Run::of(place, number)).collect())
}

/// Those that were called and have not ended.
pub fn unfinished(place: &Place) -> Result<Vec<Run>> {
    let mut unfinished = Vec::new();
    for run in all(place)? {
        if run.outcome()?.is_none() && run.request()?.is_some() {
            unfinished.push(run);
        }
    }
    Ok(unfinished)
}

/// The run that was called for a commit, the newest if there are several.
pub fn of_commit(place: &Place, commit: &str) -> Result<Option<Run>> {
    for run in all(place)?.into_iter().rev() {
        if run.request()?.is_some_and(|request| request.push.after == commit) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::rules::Push;

    fn request(commit: &str) -> Request {
        let push = Push {
            reference: "refs/heads/master".into(),
            before: String::new(),
            after: commit.into(),
            message: "Greet".into(),
            actor: "voloshko".into(),
            by_run: None,
        };
        Request { push, called: std::time::SystemTime::now() }
    }

    /// Number and whether it runs, for every run that has not ended.
    fn check(place: &Place, expected: &[(u64, bool)]) {
        let is_running = |run: &Run| run.is_running().expect("an answer");
        let found: Vec<(u64, bool)> =
            unfinished(place).expect("a list").iter().map(|run| (run.number, is_running(run))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_run_waits_until_it_is_held_and_is_gone_when_it_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path()).expect("a place");
        check(&place, &[]);
        let first = Run::call(&place, "on: push", &request("a")).expect("a run");
        let second = Run::call(&place, "on: push", &request("b")).expect("a run");
        check(&place, &[(1, false), (2, false)]);
        let held = first.hold().expect("nobody else runs it");
        check(&place, &[(1, true), (2, false)]);
        drop(held);
        let outcome = Outcome { conclusion: Conclusion::Success, reason: None, seconds: 1.0, steps: Vec::new() };
        first.close(&place, &outcome).expect("it ends");
        check(&place, &[(2, false)]);
        assert_eq!(of_commit(&place, "b").expect("a search").expect("a run").number, second.number);
    }
}
