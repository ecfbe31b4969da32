//! Which process is meant: its id and when it started, because the system gives ids out again.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// What is written down about a running process.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
pub struct Identity {
    pub pid: i32,
    /// In clock ticks after the boot, as /proc/PID/stat has it.
    started: u64,
}

impl Identity {
    /// None when there is no process of that id.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, started: started(&stat)? })
    }

    pub fn is_alive(self) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.pid)) else {
            return false;
        };
        let ended = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']));
        !ended && started(&stat) == Some(self.started)
    }

    pub fn signal(self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) {
            // It may have ended since; that is what was wanted.
            let _ = kill_process(pid, signal);
        }
    }

    pub fn age(self) -> Result<Duration> {
        let uptime = fs::read_to_string("/proc/uptime").context("cannot read /proc/uptime")?;
        let uptime: f64 = uptime.split_whitespace().next().unwrap_or("0").parse()?;
        let ticks = rustix::param::clock_ticks_per_second();
        Ok(Duration::try_from_secs_f64((uptime - self.started as f64 / ticks as f64).max(0.0))?)
    }
}

/// The 22nd field; the second one, the name, may contain spaces and brackets.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// What was written down before the last boot means nothing any more.
pub fn boot() -> Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("cannot tell one boot from the next")?;
    Ok(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_behind_a_name_with_brackets_and_spaces() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 77 1000 2 18446744073709551615";
        assert_eq!(started(stat), Some(77));
    }

    #[test]
    fn this_process_is_alive_and_another_with_its_id_is_not_taken_for_it() {
        let own = Identity::of(std::process::id().cast_signed()).expect("this process exists");
        assert!(own.is_alive());
        assert!(!Identity { started: own.started + 1, ..own }.is_alive());
    }

    #[test]
    fn a_process_that_has_ended_is_not_alive_though_nobody_has_asked_for_its_end() {
        let mut child = std::process::Command::new("true").spawn().expect("true can be run");
        let known = Identity::of(child.id().cast_signed());
        let patience = std::time::Instant::now() + Duration::from_secs(5);
        while known.is_some_and(Identity::is_alive) {
            assert!(std::time::Instant::now() < patience, "an ended process is taken for a running one");
        }
        child.wait().expect("it is this process's child");
    }
}
