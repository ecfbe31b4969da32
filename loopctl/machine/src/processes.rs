//! The long-running processes of the loop: started, kept alive, recognised and stopped.
//!
//! Each process has a keeper (`loopctl keep NAME`), as a service manager would give it: it starts
//! the process again when it dies, and appends what it says to one log. The keeper and its process
//! are written down with the time they were started at, so that a process id which the system has
//! given to somebody else, after a reboot for instance, is never taken for ours.

mod identity;
mod keeper;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Place;
use super::private::write_private;
use identity::Identity;
pub use keeper::{be_keeper, own_copy};

/// How a process is run.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Process {
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: BTreeMap::new() }
    }

    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// `--name=value`, the way all of Kubernetes spells it.
    pub fn flag(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.arg(format!("--{name}={value}"))
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }
}

/// What `status` tells about a process.
#[derive(Debug)]
pub enum Condition {
    Stopped,
    Running {
        pid: i32,
        since: Duration,
        restarts: u32,
    },
    /// The keeper is there and its process is not: it dies again and again.
    Failing {
        restarts: u32,
    },
}

/// Starts the process under a keeper unless it runs already.
pub fn keep(place: &Place, name: &str, process: &Process) -> Result<()> {
    let files = Files::of(place, name);
    if matches!(condition(place, name)?, Condition::Running { .. }) && files.process()?.as_ref() == Some(process) {
        return Ok(());
    }
    // One that fails, or is to run in another way now, or has lost its keeper.
    stop(place, name)?;
    place.folder("run")?;
    place.folder("logs")?;
    write_private(&files.process, &serde_json::to_string_pretty(process)?)?;
    let log = open_log(&files.log)?;
    // The keeper runs from a copy: a rebuild of loopctl must not pull the file from under it.
    let mut keeper = Command::new(own_copy(place)?)
        .arg("keep")
        .arg(name)
        .env("LOOPCTL_STATE", &place.state)
        .current_dir(&place.state)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start the keeper of {name}"))?;
    let patience = Instant::now() + Duration::from_secs(10);
    while !matches!(condition(place, name)?, Condition::Running { .. }) {
        if let Some(status) = keeper.try_wait()? {
            bail!("the keeper of {name} ended at once ({status}): read {}", files.log.display());
        }
        if Instant::now() > patience {
            bail!("{name} does not start: read {}", files.log.display());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Ends the process and its keeper, first politely. Succeeds when there is none.
pub fn stop(place: &Place, name: &str) -> Result<()> {
    let files = Files::of(place, name);
    let Some(record) = files.record()? else {
        return Ok(());
    };
    fs::write(&files.ending, "").context("cannot ask the keeper for an end")?;
    let ours: Vec<Identity> = record.process.into_iter().chain([record.keeper]).collect();
    if record.boot == identity::boot()? {
        end(&ours, name)?;
    }
    for file in [&files.record, &files.ending, &files.process] {
        if file.exists() {
            fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

/// The process is asked to end; its keeper follows by itself. Whoever stays is killed.
fn end(ours: &[Identity], name: &str) -> Result<()> {
    const POLITE: Duration = Duration::from_secs(10);
    let begin = Instant::now();
    let mut forced = false;
    if let Some(first) = ours.first().filter(|identity| identity.is_alive()) {
        first.signal(Signal::TERM);
    }
    while ours.iter().any(|identity| identity.is_alive()) {
        if !forced && begin.elapsed() > POLITE {
            forced = true;
            for identity in ours.iter().filter(|identity| identity.is_alive()) {
                identity.signal(Signal::KILL);
            }
        }
        if begin.elapsed() > POLITE * 2 {
            bail!("{name} (process {}) cannot be ended", ours[0].pid);
        }
        // Without its process the keeper is in its pause and has not looked at the wish yet.
        if let [process, keeper] = ours
            && !process.is_alive()
            && begin.elapsed() > Duration::from_secs(1)
        {
            keeper.signal(Signal::KILL);
        }
        if let [keeper] = ours {
            keeper.signal(Signal::KILL);
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub fn condition(place: &Place, name: &str) -> Result<Condition> {
    let Some(record) = Files::of(place, name).record()? else {
        return Ok(Condition::Stopped);
    };
    if record.boot != identity::boot()? || !record.keeper.is_alive() {
        return Ok(Condition::Stopped);
    }
    Ok(match record.process.filter(|process| process.is_alive()) {
        Some(process) => Condition::Running { pid: process.pid, since: process.age()?, restarts: record.restarts },
        None => Condition::Failing { restarts: record.restarts },
    })
}

/// Fails with a sentence unless the process runs; parts ask this first in `ready`.
pub fn must_run(place: &Place, name: &str) -> Result<()> {
    const STEADY: Duration = Duration::from_secs(5);
    match condition(place, name)? {
        Condition::Running { restarts, since, .. } if restarts < 3 || since > STEADY => Ok(()),
        Condition::Running { restarts, .. } | Condition::Failing { restarts } => {
            bail!("it has been started {restarts} times again; the end of its log:\n  {}", log_end(place, name))
        }
        Condition::Stopped => bail!("it does not run"),
    }
}

/// How often its keeper had to start it again; 0 when it does not run.
pub fn restarts(place: &Place, name: &str) -> Result<u32> {
    Ok(match condition(place, name)? {
        Condition::Running { restarts, .. } | Condition::Failing { restarts } => restarts,
        Condition::Stopped => 0,
    })
}

fn log_end(place: &Place, name: &str) -> String {
    let text = fs::read(place.log(name)).unwrap_or_default();
    super::shell::last_lines(&String::from_utf8_lossy(&text[text.len().saturating_sub(8192)..]), 6)
}

#[derive(Serialize, Deserialize)]
struct Record {
    boot: String,
    keeper: Identity,
    process: Option<Identity>,
    restarts: u32,
}

struct Files {
    process: PathBuf,
    record: PathBuf,
    ending: PathBuf,
    log: PathBuf,
}

impl Files {
    fn of(place: &Place, name: &str) -> Self {
        let run = place.state.join("run");
        Self {
            process: run.join(format!("{name}.process")),
            record: run.join(format!("{name}.pid")),
            ending: run.join(format!("{name}.ending")),
            log: place.log(name),
        }
    }

    fn record(&self) -> Result<Option<Record>> {
        read(&self.record)
    }

    fn process(&self) -> Result<Option<Process>> {
        read(&self.process)
    }
}

/// None when nothing was written down.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}
