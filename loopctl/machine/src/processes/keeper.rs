//! The keeper of one process: starts it, and starts it again for as long as nobody asks for an end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit, setsid};

use super::identity::{self, Identity};
use super::{Files, Record, open_log};
use crate::private::write_private;
use crate::{Place, cgroups};

/// What the hidden command `keep` does until somebody asks for an end.
pub fn be_keeper(place: &Place, name: &str) -> Result<ExitCode> {
    // A session of its own: closing the terminal that `up` was typed into must not end the loop.
    setsid().context("cannot leave the terminal")?;
    raise_open_files()?;
    cgroups::enter(name)?;
    let files = Files::of(place, name);
    let process = files.process()?.context("nobody has written down what to run")?;
    let keeper = Identity::of(std::process::id().cast_signed()).context("cannot read /proc/self/stat")?;
    let mut record = Record { boot: identity::boot()?, keeper, process: None, restarts: 0 };
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
        record.process = Identity::of(child.id().cast_signed());
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
