//! The programs of the loop, built from their Go modules once a version, into the cache.

pub mod amount;
mod compile;
mod pins;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

pub use compile::Event;
use pins::Pins;

use super::{Place, processes, shell};

/// One folder of `parts/` with a go.mod, as `parts/builds.toml` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    build: Vec<Program>,
    #[serde(default)]
    tags: Vec<String>,
    /// Go variables that are set when a program is linked.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Not by `up`.
    #[serde(default)]
    when_used: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    name: String,
    package: String,
    /// The one whose version is the program's; a program of our own has none.
    module: Option<String>,
}

/// Everything that can be built, with the pins it is built from.
pub struct Builds {
    recipes: BTreeMap<String, (Recipe, Pins)>,
    cache: PathBuf,
    parts: PathBuf,
}

impl Builds {
    pub fn read(place: &Place) -> Result<Self> {
        let parts = place.part("")?;
        let path = parts.join("builds.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let recipes: BTreeMap<String, Recipe> =
            toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let recipes = recipes
            .into_iter()
            .map(|(folder, recipe)| {
                let pins = Pins::read(&parts.join(&folder), &recipe).with_context(|| format!("in {folder}"))?;
                Ok((folder, (recipe, pins)))
            })
            .collect::<Result<_>>()?;
        Ok(Self { recipes, cache: place.cache.clone(), parts })
    }

    /// Where the program of that name is, or will be once it is built.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        Ok(self.cache.join("bin").join(self.identity(name)?).join(name))
    }

    /// What the program is built from, in a word: another pin is another word.
    pub fn identity(&self, name: &str) -> Result<String> {
        let (folder, _, pins) = self.find(name)?;
        Ok(format!("{folder}-{}", pins.digest))
    }

    /// None for a program of our own.
    pub fn version(&self, name: &str) -> Result<Option<&str>> {
        let (_, recipe, pins) = self.find(name)?;
        let module = recipe.build.iter().find(|program| program.name == name).and_then(|found| found.module.as_deref());
        module.map(|module| pins.version(module)).transpose()
    }

    /// The unpacked source of the module that a program is built from, for its plain files.
    pub fn source(&self, name: &str) -> Result<PathBuf> {
        let (folder, recipe, pins) = self.find(name)?;
        let program = recipe.build.iter().find(|program| program.name == name);
        let module =
            program.and_then(|found| found.module.as_ref()).with_context(|| format!("{name} is of no module"))?;
        let said = shell::run(self.go(folder, pins)?.args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]))?;
        if said.trim().is_empty() {
            // The module cache was emptied since the program was built.
            shell::run(self.go(folder, pins)?.args(["mod", "download", module]))?;
            return self.source(name);
        }
        Ok(PathBuf::from(said.trim()))
    }

    /// Puts what a person may want to type into one folder, for `PATH`, whether it is built already or not.
    pub fn link(&self, place: &Place) -> Result<()> {
        let folder = place.folder("bin")?;
        for name in ["argocd", "ctr", "kubectl", "tofu"] {
            let link = folder.join(name);
            if link.is_symlink() || link.exists() {
                fs::remove_file(&link).with_context(|| format!("cannot renew {}", link.display()))?;
            }
            if self.find(name)?.1.when_used {
                let own = processes::own_copy(place)?;
                let text = format!("#!/bin/sh\nexec '{}' run-program {name} \"$@\"\n", own.display());
                fs::write(&link, text).and_then(|()| fs::set_permissions(&link, fs::Permissions::from_mode(0o755)))
            } else {
                symlink(self.program(name)?, &link)
            }
            .with_context(|| format!("cannot make {}", link.display()))?;
        }
        Ok(())
    }

    /// The go command takes the toolchain that go.mod names from the module proxy when the
    /// machine's own is another one.
    fn go(&self, folder: &str, pins: &Pins) -> Result<Command> {
        let mut go = Command::new("nice");
        go.args(["-n", "5", "go"])
            .current_dir(self.parts.join(folder))
            .env("GOTOOLCHAIN", format!("go{}", pins.toolchain()?))
            // Several gigabytes that `down --purge` has to find again.
            .env("GOCACHE", self.cache.join("go-build"))
            // The compiler ends before its garbage matters: a quarter less work on the large packages.
            .env("GOGC", "off")
            .env("GOMEMLIMIT", "1536MiB")
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0");
        Ok(go)
    }

    fn find(&self, name: &str) -> Result<(&str, &Recipe, &Pins)> {
        let found =
            self.recipes.iter().find(|(_, (recipe, _))| recipe.build.iter().any(|program| program.name == name));
        match found {
            Some((folder, (recipe, pins))) => Ok((folder, recipe, pins)),
            None => bail!("loopctl/parts/builds.toml does not say how to build {name}"),
        }
    }
}

/// What the go command calls the program that it makes of a package.
fn made_as(package: &str) -> &str {
    let mut words = package.rsplit('/');
    let last = words.next().unwrap_or(package);
    let is_version = last.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_version { words.next().unwrap_or(last) } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds() -> Builds {
        let place = Place::find().expect("the tests run with a home folder");
        Builds::read(&place).expect("builds.toml and the pin files agree")
    }

    fn check(package: &str, expected: &str) {
        assert_eq!(made_as(package), expected, "{package}");
    }

    #[test]
    fn a_program_is_found_under_the_name_that_go_gives_it() {
        check("./coredns", "coredns");
        check("go.etcd.io/etcd/server/v3", "server");
        check("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver");
        check("example.org/vault", "vault");
    }

    #[test]
    fn every_program_has_its_pins_and_none_is_built_twice() {
        let builds = builds();
        let mut names: Vec<&str> =
            builds.recipes.values().flat_map(|(recipe, _)| &recipe.build).map(|program| &*program.name).collect();
        for name in &names {
            builds.version(name).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
        for (recipe, pins) in builds.recipes.values() {
            for value in recipe.variables.values() {
                pins.fill(value).unwrap_or_else(|error| panic!("{value}: {error:#}"));
            }
        }
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "a program is named in two recipes");
    }

    #[test]
    fn what_is_not_built_by_up_is_built_by_the_first_who_types_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path()).expect("a place");
        let builds = place.builds().expect("builds.toml and the pin files agree");
        for _ in 0..2 {
            builds.link(&place).expect("a second time as well");
        }
        let kubectl = fs::read_link(place.bin().join("kubectl")).expect("a link");
        assert_eq!(kubectl, builds.program("kubectl").expect("it can be built"));
        let tofu = fs::read_to_string(place.bin().join("tofu")).expect("a script");
        assert!(tofu.ends_with("' run-program tofu \"$@\"\n"), "{tofu}");
    }

    /// What Kubernetes and Argo CD publish in pieces has to be of one version, or it does not fit together.
    #[test]
    fn pieces_that_belong_together_have_one_version() {
        let path = Place::find()
            .expect("the tests run with a home folder")
            .part("programs")
            .expect("the parts are written")
            .join("go.mod");
        let text = fs::read_to_string(path).expect("go.mod is there");
        let builds = builds();
        let version = |program: &str| builds.version(program).expect("it is built").expect("it has one").to_owned();
        let (kubernetes, argocd) = (version("kubelet").replacen("1.", "0.", 1), version("argocd"));
        let mut pieces = 0;
        for (module, version) in text.lines().filter_map(|line| line.split_once(" => ")?.1.split_once(" v")) {
            let expected = match module {
                "github.com/argoproj/argo-cd/gitops-engine/v3" => &argocd,
                // Published for use beside any Kubernetes, under other numbers.
                _ if module.starts_with("k8s.io/") && !module.ends_with("/legacy-cloud-providers") => &kubernetes,
                _ => continue,
            };
            assert_eq!(version, expected, "{module} in loopctl/parts/programs/go.mod");
            pieces += 1;
        }
        assert!(pieces > 30, "go.mod replaces only {pieces} pieces");
    }
}
