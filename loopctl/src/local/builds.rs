//! Builds the programs of the loop from their Go modules, once a version, into the cache.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Place;
use super::shell;

/// One folder of `parts/` with a go.mod, as `parts/builds.toml` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    module: String,
    #[serde(default)]
    ldflags: String,
    programs: BTreeMap<String, String>,
}

/// Everything that can be built, with the pins it is built from.
pub struct Builds {
    recipes: BTreeMap<String, (Recipe, Pins)>,
    cache: PathBuf,
    parts: PathBuf,
}

struct Pins {
    version: String,
    toolchain: String,
    /// Of the pin files and the recipe: another pin is another folder in the cache.
    digest: String,
}

impl Builds {
    pub fn read(place: &Place) -> Result<Self> {
        let parts = place.part("");
        let path = parts.join("builds.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let recipes: BTreeMap<String, Recipe> =
            toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let recipes = recipes
            .into_iter()
            .map(|(folder, recipe)| {
                let pins = Pins::read(&parts.join(&folder), &recipe)?;
                Ok((folder, (recipe, pins)))
            })
            .collect::<Result<_>>()?;
        Ok(Self { recipes, cache: place.cache.clone(), parts })
    }

    /// All programs that can be built, the quick ones of a module after its first in one go.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.recipes.values().flat_map(|(recipe, _)| recipe.programs.keys().map(String::as_str))
    }

    /// Where the program of that name is, or will be once it is built.
    pub fn program(&self, program: &str) -> Result<PathBuf> {
        Ok(self.cache.join("bin").join(self.identity(program)?).join(program))
    }

    /// What the program is built from, in a word: another pin is another word.
    pub fn identity(&self, program: &str) -> Result<String> {
        let (folder, _, pins) = self.find(program)?;
        Ok(format!("{folder}-{}-{}", pins.version, pins.digest))
    }

    pub fn version(&self, program: &str) -> Result<&str> {
        Ok(&self.find(program)?.2.version)
    }

    /// The unpacked source of the module that a program is built from, for its plain files.
    pub fn source(&self, program: &str) -> Result<PathBuf> {
        let (folder, recipe, pins) = self.find(program)?;
        let said =
            shell::run(self.go(folder, pins).args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", &recipe.module]))?;
        let source = PathBuf::from(said.trim());
        if said.trim().is_empty() {
            // The module cache was emptied since the program was built.
            shell::run(self.go(folder, pins).args(["mod", "download", &recipe.module]))?;
            return self.source(program);
        }
        Ok(source)
    }

    /// Builds it unless it is there; the time it took, if it was built.
    pub fn build(&self, program: &str) -> Result<Option<Duration>> {
        let target = self.program(program)?;
        if target.exists() {
            return Ok(None);
        }
        let begin = Instant::now();
        let (folder, recipe, pins) = self.find(program)?;
        let into = target.parent().context("a program stands in a folder")?;
        fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
        let half = target.with_extension("half");
        let package = &recipe.programs[program];
        shell::run(
            self.go(folder, pins)
                .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags"])
                .arg(format!("-s -w {}", pins.fill(&recipe.ldflags)))
                .arg("-o")
                .arg(&half)
                .arg(package),
        )
        .with_context(|| format!("cannot build {program} in {}", self.parts.join(folder).display()))?;
        fs::rename(&half, &target).with_context(|| format!("cannot write {}", target.display()))?;
        Ok(Some(begin.elapsed()))
    }

    /// Puts links to what a person may want to type into one folder, for `PATH`.
    pub fn link(&self, place: &Place) -> Result<()> {
        let folder = place.folder("bin")?;
        for program in ["argocd", "ctr", "kubectl", "tofu"] {
            let link = folder.join(program);
            if link.is_symlink() {
                fs::remove_file(&link).with_context(|| format!("cannot renew {}", link.display()))?;
            }
            symlink(self.program(program)?, &link).with_context(|| format!("cannot make {}", link.display()))?;
        }
        Ok(())
    }

    /// The go command takes the toolchain that go.mod names from the module proxy when the
    /// machine's own is another one.
    fn go(&self, folder: &str, pins: &Pins) -> Command {
        let mut go = Command::new("nice");
        go.args(["-n", "5", "go"])
            .current_dir(self.parts.join(folder))
            .env("GOTOOLCHAIN", format!("go{}", pins.toolchain))
            // Several gigabytes that `down --purge` has to find again.
            .env("GOCACHE", self.cache.join("go-build"))
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0");
        go
    }

    fn find(&self, program: &str) -> Result<(&str, &Recipe, &Pins)> {
        let found = self.recipes.iter().find(|(_, (recipe, _))| recipe.programs.contains_key(program));
        match found {
            Some((folder, (recipe, pins))) => Ok((folder, recipe, pins)),
            None => bail!("loopctl/parts/builds.toml does not say how to build {program}"),
        }
    }
}

impl Pins {
    fn read(folder: &Path, recipe: &Recipe) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        let mut hash = Sha256::new();
        for text in [&go_mod, &go_sum, &recipe.ldflags] {
            hash.update(text);
            hash.update([0]);
        }
        let digest = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            version: word_after(&go_mod, &recipe.module)
                .with_context(|| format!("{} requires no {}", folder.display(), recipe.module))?,
            toolchain: word_after(&go_mod, "go").with_context(|| format!("{} has no `go` line", folder.display()))?,
            digest,
        })
    }

    fn fill(&self, ldflags: &str) -> String {
        let mut numbers = self.version.split('.');
        let (major, minor) = (numbers.next().unwrap_or(""), numbers.next().unwrap_or(""));
        ldflags.replace("{version}", &self.version).replace("{major}", major).replace("{minor}", minor)
    }
}

/// What follows `word` at the beginning of a line of go.mod, without the v of a version.
fn word_after(go_mod: &str, word: &str) -> Option<String> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        let value = (words.next() == Some(word)).then(|| words.next())??;
        (value != "=>").then(|| value.trim_start_matches('v').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        let go_mod = "module x\n\ngo 1.26.8\n\nreplace a.b/c => a.b/c v1.0.0\n\nrequire (\n\ta.b/c v1.2.3 // indirect\n)\n\nrequire d.e/f v4.5.6\n";
        assert_eq!(word_after(go_mod, word).as_deref(), expected, "{word}");
    }

    #[test]
    fn the_version_of_a_module_is_the_one_that_go_mod_requires() {
        check("go", Some("1.26.8"));
        check("a.b/c", Some("1.2.3"));
        check("d.e/f", Some("4.5.6"));
        check("a.b", None);
    }

    #[test]
    fn every_recipe_has_its_pin_files_and_no_program_is_built_twice() {
        let place = Place::find().expect("the tests run with a home folder");
        let builds = Builds::read(&place).expect("builds.toml and the pin files agree");
        let mut programs: Vec<&String> =
            builds.recipes.values().flat_map(|(recipe, _)| recipe.programs.keys()).collect();
        programs.sort();
        let all = programs.len();
        programs.dedup();
        assert_eq!(programs.len(), all, "a program is named in two recipes");
    }

    /// What Kubernetes and Argo CD publish in pieces has to be of one version, or it does not fit together.
    #[test]
    fn pieces_that_belong_together_have_one_version() {
        let place = Place::find().expect("the tests run with a home folder");
        let builds = Builds::read(&place).expect("builds.toml and the pin files agree");
        let replacements = |folder: &str| -> Vec<(String, String)> {
            let text = fs::read_to_string(place.part(folder).join("go.mod")).expect("go.mod is there");
            let replaced = text.lines().filter_map(|line| line.split_once(" => "));
            replaced
                .filter_map(|(_, to)| to.split_once(" v"))
                .map(|(module, version)| (module.trim().to_owned(), version.trim().to_owned()))
                .collect()
        };
        let kubernetes = builds.version("kubelet").expect("it is built").replacen("1.", "0.", 1);
        for (module, version) in replacements("kubernetes") {
            assert_eq!(version, kubernetes, "{module} in loopctl/parts/kubernetes/go.mod");
        }
        let engine = "github.com/argoproj/argo-cd/gitops-engine/v3";
        let version =
            replacements("argocd").into_iter().find(|(module, _)| module == engine).map(|(_, version)| version);
        assert_eq!(version.as_deref(), builds.version("argocd").ok(), "{engine} in loopctl/parts/argocd/go.mod");
    }
}
