//! The long-running processes of the loop: started, kept alive, recognised and stopped.
//!
//! Each process has a keeper (`loopctl keep NAME`), as a service manager would give it: it starts
//! the process again when it dies, and appends what it says to one log. The keeper and its process
//! are written down with the time they were started at, so that a process id which the system has
//! given to somebody else, after a reboot for instance, is never taken for ours.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit, setsid};
use serde::{Deserialize, Serialize};

use super::place::write_private;
use super::{Place, cgroups};

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

/// What is written down about a running process.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
struct Identity {
    pid: i32,
    /// In clock ticks after the boot, as /proc/PID/stat has it.
    started: u64,
}

#[derive(Serialize, Deserialize)]
struct Record {
    boot: String,
    keeper: Identity,
    process: Option<Identity>,
    restarts: u32,
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
    if let Condition::Running { .. } | Condition::Failing { .. } = condition(place, name)? {
        return Ok(());
    }
    let files = Files::of(place, name)?;
    // A keeper that was killed by force may have left its process behind.
    stop(place, name)?;
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

/// What the hidden command `keep` does until somebody asks for an end.
pub fn be_keeper(place: &Place, name: &str) -> Result<ExitCode> {
    // A session of its own: closing the terminal that `up` was typed into must not end the loop.
    setsid().context("cannot leave the terminal")?;
    raise_open_files()?;
    cgroups::enter(name)?;
    let files = Files::of(place, name)?;
    let process: Process = serde_json::from_str(&fs::read_to_string(&files.process)?)?;
    let keeper = identity(std::process::id().cast_signed()).context("cannot read /proc/self/stat")?;
    let mut record = Record { boot: boot()?, keeper, process: None, restarts: 0 };
    let mut pause = Duration::from_millis(200);
    loop {
        let log = open_log(&files.log)?;
        let started = Instant::now();
        // setpriv asks the kernel to end the process with its keeper, then becomes the process.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(&process.program)
            .args(&process.arguments)
            .envs(&process.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run setpriv")?;
        record.process = identity(child.id().cast_signed());
        write_private(&files.record, &serde_json::to_string(&record)?)?;
        let status = child.wait()?;
        if files.ending.exists() {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("keeper: {name} ended ({status}) after {:?}; starting it again", started.elapsed());
        record.process = None;
        record.restarts += 1;
        write_private(&files.record, &serde_json::to_string(&record)?)?;
        if started.elapsed() > Duration::from_secs(20) {
            pause = Duration::from_millis(200);
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Ends the process and its keeper, first politely. Succeeds when there is none.
pub fn stop(place: &Place, name: &str) -> Result<()> {
    let files = Files::of(place, name)?;
    let Some(record) = files.record()? else {
        return Ok(());
    };
    fs::write(&files.ending, "").context("cannot ask the keeper for an end")?;
    let ours: Vec<Identity> = record.process.into_iter().chain([record.keeper]).collect();
    if record.boot == boot()? {
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
    if let Some(first) = ours.first().filter(|identity| is_alive(**identity)) {
        signal(*first, Signal::TERM);
    }
    while ours.iter().any(|identity| is_alive(*identity)) {
        if !forced && begin.elapsed() > POLITE {
            forced = true;
            for identity in ours.iter().filter(|identity| is_alive(**identity)) {
                signal(*identity, Signal::KILL);
            }
        }
        if begin.elapsed() > POLITE * 2 {
            bail!("{name} (process {}) cannot be ended", ours[0].pid);
        }
        // Without its process the keeper is in its pause and has not looked at the wish yet.
        if let [process, keeper] = ours
            && !is_alive(*process)
            && begin.elapsed() > Duration::from_secs(1)
        {
            signal(*keeper, Signal::KILL);
        }
        if let [keeper] = ours {
            signal(*keeper, Signal::KILL);
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub fn condition(place: &Place, name: &str) -> Result<Condition> {
    let Some(record) = Files::of(place, name)?.record()? else {
        return Ok(Condition::Stopped);
    };
    if record.boot != boot()? || !is_alive(record.keeper) {
        return Ok(Condition::Stopped);
    }
    Ok(match record.process.filter(|process| is_alive(*process)) {
        Some(process) => Condition::Running { pid: process.pid, since: age(process)?, restarts: record.restarts },
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

pub fn log_end(place: &Place, name: &str) -> String {
    let text = fs::read(place.log(name)).unwrap_or_default();
    super::shell::last_lines(&String::from_utf8_lossy(&text[text.len().saturating_sub(8192)..]), 6)
}

struct Files {
    process: PathBuf,
    record: PathBuf,
    ending: PathBuf,
    log: PathBuf,
}

impl Files {
    fn of(place: &Place, name: &str) -> Result<Self> {
        let run = place.folder("run")?;
        place.folder("logs")?;
        Ok(Self {
            process: run.join(format!("{name}.process")),
            record: run.join(format!("{name}.pid")),
            ending: run.join(format!("{name}.ending")),
            log: place.log(name),
        })
    }

    fn record(&self) -> Result<Option<Record>> {
        match fs::read_to_string(&self.record) {
            Ok(text) => {
                Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", self.record.display()))?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.record.display())),
        }
    }
}

fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))
}

/// A copy of this program in the state folder, renewed when the program has changed.
pub fn own_copy(place: &Place) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the running program")?;
    let stamp = |path: &Path| -> Option<(u64, SystemTime)> {
        let about = fs::metadata(path).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    let (length, modified) = stamp(&own).context("the running program has no file any more; run it again")?;
    let made = modified.duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    let copy = place.folder("program")?.join(format!("loopctl-{length:x}-{made:x}"));
    if !copy.exists() {
        let half = copy.with_extension(format!("half-{:?}", std::thread::current().id()));
        fs::copy(&own, &half).with_context(|| format!("cannot copy loopctl to {}", copy.display()))?;
        fs::rename(&half, &copy)?;
    }
    Ok(copy)
}

/// containerd and the API server hold many files open, and the usual soft limit is 1024.
fn raise_open_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("cannot raise the limit of open files")
}

fn boot() -> Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("cannot tell one boot from the next")?;
    Ok(id.trim().to_owned())
}

fn identity(pid: i32) -> Option<Identity> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(Identity { pid, started: started(&stat)? })
}

/// The 22nd field; the second one, the name, may contain spaces and brackets.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn is_alive(known: Identity) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", known.pid)) else {
        return false;
    };
    let ended = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']));
    !ended && started(&stat) == Some(known.started)
}

fn signal(known: Identity, signal: Signal) {
    if let Some(pid) = Pid::from_raw(known.pid).filter(|_| is_alive(known)) {
        // It may have ended since; that is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

fn age(known: Identity) -> Result<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").context("cannot read /proc/uptime")?;
    let uptime: f64 = uptime.split_whitespace().next().unwrap_or("0").parse()?;
    let ticks = rustix::param::clock_ticks_per_second();
    Ok(Duration::try_from_secs_f64((uptime - known.started as f64 / ticks as f64).max(0.0))?)
}
