//! A part of the loop that is killed, and how to tell that it is back.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::report::{ensure, expect};
use e2e::{Loop, wait};
use rustix::process::{Pid, Signal, kill_process};

pub const HEALED: Duration = Duration::from_secs(120);

/// A part, and the process whose death is meant.
pub struct Victim {
    pub part: &'static str,
    pub process: &'static str,
    pub at: At,
}

pub enum At {
    /// Kept by loopctl, as a service manager keeps it on a server.
    Machine,
    /// In a pod of Argo CD, kept by the kubelet.
    Pod,
}

impl Victim {
    /// Kills it and waits until another process does its work; returns how long that took.
    pub fn kill(&self, the_loop: &Loop) -> Result<Duration> {
        let (pid, restarts) = (self.pid()?, self.restarts(the_loop)?);
        let begin = Instant::now();
        kill_process(pid, Signal::KILL).with_context(|| format!("cannot kill {}", self.part))?;
        wait::until(&format!("{} is ready again", self.part), HEALED, || {
            let new = self.pid()?;
            ensure("another process", new != pid, format!("process {} still", pid.as_raw_nonzero()))?;
            match self.at {
                At::Pod => self.has_restarted(the_loop, restarts),
                At::Machine => parts_are_ready(the_loop),
            }
        })?;
        Ok(begin.elapsed())
    }

    /// The loop's process of that name; the machine may have others.
    pub fn pid(&self) -> Result<Pid> {
        let group = match self.at {
            // From the colon on: a loop in namespaces of its own has these groups somewhere below.
            At::Pod => ":/argo-rust-loop/kubepods/".to_owned(),
            At::Machine => format!(":/argo-rust-loop/parts/{}\n", self.part),
        };
        for entry in fs::read_dir("/proc")?.flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
            if let Some(pid) = pid
                && self.is_named(&read("cmdline"))
                && read("cgroup").contains(&group)
            {
                return Ok(pid);
            }
        }
        bail!("no process of {} runs", self.part)
    }

    /// By the program or, where one program is many things, by its first argument.
    fn is_named(&self, command: &str) -> bool {
        let mut arguments = command.split('\0');
        // Redis writes its address behind its name.
        let program = arguments.next().and_then(|program| program.split(' ').next()).unwrap_or_default();
        program.rsplit('/').next() == Some(self.process) || arguments.next() == Some(self.process)
    }

    /// How often its container was restarted, and whether it is ready; nothing for what is in no pod.
    fn state(&self, the_loop: &Loop) -> Result<String> {
        let selector = format!("--selector=app.kubernetes.io/name=argocd-{}", self.part);
        let path = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount} \
                    {.items[*].status.containerStatuses[*].ready}";
        the_loop.ask(&["get", "pods", "--namespace=argocd", &selector, path])
    }

    fn restarts(&self, the_loop: &Loop) -> Result<u32> {
        let state = self.state(the_loop)?;
        Ok(state.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default())
    }

    fn has_restarted(&self, the_loop: &Loop, before: u32) -> Result<()> {
        // An older state than that of the kill may still be the last one that was reported.
        expect("restarts of its container, and is it ready", self.state(the_loop)?, format!("{} true", before + 1))
    }
}

/// All of them: the API server, for instance, is of no use without etcd.
fn parts_are_ready(the_loop: &Loop) -> Result<()> {
    let status = the_loop.loopctl().arg("status").output().context("cannot run loopctl")?;
    let said = String::from_utf8_lossy(&status.stdout);
    ensure("loopctl calls every part ready", status.status.success(), said.trim_end())
}
