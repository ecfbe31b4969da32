//! The stranger: a home folder of their own, a fresh clone, a terminal, and what they have read so far.

use std::cell::Cell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::compiled;
use super::document::How;
use super::edit::changed;
use super::terminal::{self, Serving};
use crate::report::expect;
use crate::shell;

pub struct Reader {
    /// Always the same one, so that the build folders learn no new path with each walk.
    folder: PathBuf,
    pub clone: PathBuf,
    /// Whether a Docker engine can be asked, or why not.
    pub docker: Result<(), String>,
    environment: Vec<(OsString, OsString)>,
    /// What `up` has said to export for its tools.
    tools: Option<String>,
    serving: Option<Serving>,
    scripts: Cell<u32>,
}

/// How curl behaves for a reader: an answer that is no success is a failure, what was started a moment ago may need
/// another second, and no proxy leads to this machine.
const CURL: &str = "fail\nsilent\nshow-error\nnoproxy = \"*\"\nretry = 5\nretry-delay = 1\nretry-all-errors\n";
const GIT: &str = "[user]\n\tname = A stranger\n\temail = stranger@localhost\n[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n";

impl Reader {
    /// Clones what is committed in the checkout. That compilers have been here before is no part of what is proven, so
    /// the clone's build folders stay below the checkout's, and begin with what is compiled there already.
    pub fn new(checkout: &Path) -> Result<Self> {
        Self::in_folder(checkout, env::temp_dir().join("argo-rust-walk"))
    }

    pub fn in_folder(checkout: &Path, folder: PathBuf) -> Result<Self> {
        remove(&folder)?;
        let (home, clone) = (folder.join("home"), folder.join("clone"));
        fs::create_dir_all(home.join("bin"))?;
        fs::write(home.join(".curlrc"), CURL)?;
        fs::write(home.join(".gitconfig"), GIT)?;
        let mut git = Command::new("git");
        shell::run(git.args(["clone", "--quiet"]).arg(checkout).arg(&clone).env("HOME", &home))?;
        compiled::take_along(checkout, &clone)?;
        fs::write(clone.join(".git/info/exclude"), "target\n")?;
        let environment = environment(&home)?;
        let docker = Err("nobody has looked for a Docker engine".to_owned());
        Ok(Self { folder, clone, docker, environment, tools: None, serving: None, scripts: Cell::new(0) })
    }

    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    pub fn set(&mut self, variable: &str, value: impl Into<OsString>) {
        self.environment.push((variable.into(), value.into()));
    }

    /// Programs of a folder in front of all others.
    pub fn prefer(&mut self, folder: &Path) -> Result<()> {
        let paths = self.environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let paths = paths.unwrap_or_default();
        let folders = [folder.to_owned()].into_iter().chain(env::split_paths(&paths));
        self.set("PATH", env::join_paths(folders).context("a folder's name has a colon in it")?);
        Ok(())
    }

    /// The commands of a block, in one shell.
    pub fn run(&mut self, commands: &str, how: &How) -> Result<()> {
        let commands = fill(commands, how);
        let Some(port) = how.serves else {
            let said = terminal::run(self.bash(&commands, how)?, how.answers.as_deref())?;
            self.remember(&said.all);
            return Ok(());
        };
        let (first, last) = commands.trim_end().rsplit_once('\n').unwrap_or(("", commands.trim_end()));
        terminal::run(self.bash(first, how)?, None)?;
        self.serving = Some(Serving::start(self.bash(last, how)?, &self.folder.join("serving"), port)?);
        Ok(())
    }

    pub fn compare(&mut self, command: &str, expected: &str, how: &How) -> Result<()> {
        let said = terminal::run(self.bash(&fill(command, how), how)?, None)?;
        expect(command, said.out.trim_end(), expected.trim_end())
    }

    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.clone.join(file);
        fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
        fs::write(&path, text).with_context(|| format!("cannot write {file}"))
    }

    pub fn change(&self, file: &str, diff: &str) -> Result<()> {
        let text = fs::read_to_string(self.clone.join(file)).with_context(|| format!("cannot read {file}"))?;
        self.write(file, &changed(&text, diff).map_err(|error| anyhow!("{file}: {error}"))?)
    }

    /// Ctrl-C in the terminal where something serves.
    pub fn leave_what_serves(&mut self) -> Result<()> {
        self.serving.take().map_or(Ok(()), Serving::interrupt)
    }

    /// bash with the commands of a file, which ends with the first that fails.
    fn bash(&self, commands: &str, how: &How) -> Result<Command> {
        let mut text = commands.to_owned();
        if how.tools {
            let export = self.tools.as_ref().context("no command before this one has said how its tools are found")?;
            text = format!("{export}\n{text}");
        }
        // A file for each: bash goes on reading the one of what still serves.
        self.scripts.set(self.scripts.get() + 1);
        let script = self.folder.join(format!("commands-{}", self.scripts.get()));
        fs::write(&script, text)?;
        // Whoever runs the proofs in the background has Ctrl-C ignored, and bash could not take that back.
        let mut bash = Command::new("env");
        bash.args(["--default-signal=INT", "bash", "-e"])
            .arg(script)
            .current_dir(&self.clone)
            .env_clear()
            .envs(self.environment.iter().cloned());
        Ok(bash)
    }

    /// `up` prints a line that a person copies.
    fn remember(&mut self, said: &str) {
        let export = said.lines().find_map(|line| Some(&line[line.find("export KUBECONFIG=")?..]));
        if let Some(export) = export {
            self.tools = Some(export.to_owned());
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            drop(serving.interrupt());
        }
        drop(remove(&self.folder));
    }
}

/// Nothing that cargo has set for the proofs, no kubeconfig and no setting of the service; compilers and caches as they are.
fn environment(home: &Path) -> Result<Vec<(OsString, OsString)>> {
    const NOT_A_STRANGERS: [&str; 6] = ["CARGO", "KUBECONFIG", "LOOPCTL_", "ARGO_RUST_", "E2E_", "LD_LIBRARY_PATH"];
    const KEPT: [&str; 2] = ["LOOPCTL_STATE", "RUSTUP_HOME"];
    let own_home = env::home_dir().context("HOME is not set")?;
    let mut environment: Vec<(OsString, OsString)> = env::vars_os()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            KEPT.contains(&&*name) || !NOT_A_STRANGERS.iter().any(|prefix| name.starts_with(prefix))
        })
        .filter(|(name, _)| name != "RUSTUP_TOOLCHAIN" && name != "RUST_RECURSION_COUNT")
        .collect();
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("XDG_CACHE_HOME", ".cache")] {
        let value = env::var_os(variable).unwrap_or_else(|| own_home.join(folder).into());
        environment.push((variable.into(), value));
    }
    environment.push(("HOME".into(), home.into()));
    Ok(environment)
}

/// Each placeholder with what it stands for.
fn fill(commands: &str, how: &How) -> String {
    how.placeholders.iter().fold(commands.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            bail!("cannot remove {}: {error}", folder.display())
        }
        _ => Ok(()),
    }
}
