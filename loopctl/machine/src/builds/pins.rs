//! The pins of one folder of `parts/`: versions and checksums, as its go.mod and go.sum state them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::Recipe;

pub struct Pins {
    go_mod: String,
    /// In a word: with another pin, recipe or source of ours it is another word.
    pub digest: String,
}

impl Pins {
    pub fn read(folder: &Path, recipe: &Recipe) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let go_mod = read("go.mod")?;
        let mut hash = Sha256::new();
        for text in [&go_mod, &read("go.sum")?, &format!("{:?} {:?}", recipe.tags, recipe.variables)] {
            hash.update(text);
            hash.update([0]);
        }
        for program in &recipe.build {
            if let Some(own) = program.package.strip_prefix("./") {
                hash.update(read(&format!("{own}/main.go"))?);
            }
        }
        let digest = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { go_mod, digest })
    }

    pub fn toolchain(&self) -> Result<&str> {
        word_after(&self.go_mod, "go").context("go.mod has no `go` line")
    }

    pub fn version(&self, module: &str) -> Result<&str> {
        word_after(&self.go_mod, module).with_context(|| format!("go.mod requires no {module}"))
    }

    /// Puts versions where it says `{MODULE}`, `{MODULE major}` or `{MODULE minor}`.
    pub fn fill(&self, text: &str) -> Result<String> {
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(text.to_owned());
        };
        let (what, after) = rest.split_once('}').with_context(|| format!("`{text}` has no }}"))?;
        let mut words = what.split(' ');
        let version = self.version(words.next().unwrap_or_default())?;
        let mut numbers = version.split('.');
        let value = match words.next() {
            None => version,
            Some("major") => numbers.next().unwrap_or_default(),
            Some("minor") => numbers.nth(1).unwrap_or_default(),
            Some(other) => bail!("`{text}` asks for {other}; major and minor are known"),
        };
        Ok(format!("{before}{value}{}", self.fill(after)?))
    }
}

/// What follows `word` at the beginning of a line of go.mod, without the v of a version.
fn word_after<'a>(go_mod: &'a str, word: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        let value = (words.next() == Some(word)).then(|| words.next())??;
        (value.starts_with(|first: char| first == 'v' || first.is_ascii_digit())).then(|| value.trim_start_matches('v'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str = "module x\n\ngo 1.26.8\n\nreplace a.b/c => a.b/c v1.0.0\n\ntool (\n\ta.b/c\n\td.e/f\n)\n\n\
                          require (\n\ta.b/c v1.2.3 // indirect\n)\n\nrequire d.e/f v4.5.6\n";

    fn check(text: &str, expected: Option<&str>) {
        let pins = Pins { go_mod: GO_MOD.into(), digest: String::new() };
        assert_eq!(pins.fill(text).ok().as_deref(), expected, "{text}");
    }

    #[test]
    fn a_version_is_the_one_that_go_mod_requires() {
        check("v{a.b/c}", Some("v1.2.3"));
        check("{d.e/f major}, {d.e/f minor}", Some("4, 5"));
        check("no", Some("no"));
        check("{a.b}", None);
        check("{a.b/c patch}", None);
        check("{a.b/c", None);
    }

    #[test]
    fn the_toolchain_is_the_one_of_the_go_line() {
        let pins = Pins { go_mod: GO_MOD.into(), digest: String::new() };
        assert_eq!(pins.toolchain().ok(), Some("1.26.8"));
    }
}
