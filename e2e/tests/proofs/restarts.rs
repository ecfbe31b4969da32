//! Each part of the loop is killed while the service is under load, and comes back by itself.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::load::{Connections, Load, Stream, summary};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE, service, shell, wait};
use rustix::process::{Pid, Signal, kill_process};

const LOAD: [Stream; 3] = [
    Stream { name: "kept alive", path: "/hello", connections: Connections::Kept(16), rate: 400 },
    Stream { name: "fresh connections", path: "/hello", connections: Connections::FreshEachTime, rate: 100 },
    Stream { name: "computations", path: "/fibonacci/100000", connections: Connections::Kept(2), rate: 5 },
];

/// A part, and the process whose death is meant.
struct Victim {
    part: &'static str,
    process: &'static str,
    at: At,
}

enum At {
    /// Kept by loopctl, as a service manager keeps it on a server.
    Machine,
    /// In a pod of Argo CD, kept by the kubelet.
    Pod,
}

const VICTIMS: [Victim; 12] = [
    Victim { part: "application-controller", process: "argocd-application-controller", at: At::Pod },
    Victim { part: "repo-server", process: "argocd-repo-server", at: At::Pod },
    Victim { part: "redis", process: "redis-server", at: At::Pod },
    Victim { part: "kubelet", process: "kubelet", at: At::Machine },
    Victim { part: "containerd", process: "containerd", at: At::Machine },
    Victim { part: "apiserver", process: "kube-apiserver", at: At::Machine },
    Victim { part: "etcd", process: "etcd", at: At::Machine },
    Victim { part: "controller-manager", process: "kube-controller-manager", at: At::Machine },
    Victim { part: "scheduler", process: "kube-scheduler", at: At::Machine },
    Victim { part: "kube-proxy", process: "kube-proxy", at: At::Machine },
    Victim { part: "registry", process: "registry", at: At::Machine },
    Victim { part: "git", process: "git-server", at: At::Machine },
];

const HEALED: Duration = Duration::from_secs(120);

pub fn each_part_is_killed_under_load_and_the_loop_heals(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let tag = clone.tag()?;
    let tags = [the_loop.fresh_tag(&tag)?, tag];
    let (first, before) = (clone.head()?, Kept::of(the_loop, &tags)?);
    let load = Load::start(service::ADDRESS.parse()?, &LOAD)?;
    for (number, victim) in VICTIMS.iter().enumerate() {
        // In the seconds of a drain routing has to follow; a part that is down just then is another subject.
        the_loop.wait_for_old_pods()?;
        let (failed, begin) = (load.failures().len(), Instant::now());
        let healed = victim.kill(the_loop)?;
        let tag = &tags[number % 2];
        let commit = clone.bump(tag)?;
        the_loop.force_sync()?;
        the_loop.wait_synced(&commit, HEALED)?;
        the_loop.wait_rolled_out(tag)?;
        let live = begin.elapsed() - healed;
        let failures = load.failures().split_off(failed);
        report.measured(format!(
            "{}: ready again after {:.1} s; the next bump live after {:.1} s; failed requests: {}",
            victim.part,
            healed.as_secs_f64(),
            live.as_secs_f64(),
            summary(&failures)
        ));
        for failure in &failures {
            println!(
                "      {:.3} s after the kill, {}: {}",
                failure.at.duration_since(begin).as_secs_f64(),
                failure.stream,
                failure.what
            );
        }
    }
    let streams = load.end()?;
    for stream in &streams {
        report.measured(stream.to_string());
        ensure("no request fails", stream.failures.is_empty(), summary(&stream.failures))?;
    }
    expect("what was there before is there", Kept::of(the_loop, &tags)?, before)?;
    clone.update()?;
    let commits = shell::run(clone.git().args(["rev-list", "--count", &format!("{first}..HEAD")]))?;
    expect("every commit that was pushed is in master", commits.trim(), VICTIMS.len().to_string().as_str())?;
    killing_the_service_itself_is_noticed(the_loop, report)
}

fn killing_the_service_itself_is_noticed(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let victim = Victim { part: "the service", process: "argo-rust", at: At::Pod };
    // A pod of the last bump that is still draining is not the one that answers.
    the_loop.wait_for_old_pods()?;
    let load = Load::start(service::ADDRESS.parse()?, &LOAD)?;
    let (old, begin) = (victim.pid()?, Instant::now());
    kill_process(old, Signal::KILL).context("cannot kill the service")?;
    wait::until("the service answers again", HEALED, || {
        ensure("another process", victim.pid()? != old, "the one that was killed")?;
        service::get("/hello").map(drop)
    })?;
    let (healed, failed) = (begin.elapsed(), load.failures().len());
    load.end()?;
    report.control(format!(
        "the only pod of the service killed: {failed} requests fail, it answers again after {:.1} s",
        healed.as_secs_f64()
    ));
    ensure("the load notices", failed > 0, failed)
}

impl Victim {
    /// Kills it and waits until another process does its work; returns how long that took.
    fn kill(&self, the_loop: &Loop) -> Result<Duration> {
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
    fn pid(&self) -> Result<Pid> {
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

/// What must be the same after all of it.
#[derive(PartialEq, Debug)]
struct Kept {
    objects: Vec<String>,
    images: Vec<String>,
}

impl Kept {
    fn of(the_loop: &Loop, tags: &[String]) -> Result<Self> {
        let uid = |namespace, kind, name| -> Result<String> {
            let object = the_loop.get(namespace, kind, name)?;
            Ok(format!("{kind} {}", object["metadata"]["uid"]))
        };
        Ok(Self {
            objects: vec![
                uid(NAMESPACE, "namespace", NAMESPACE)?,
                uid(NAMESPACE, "deployment", DEPLOYMENT)?,
                uid(NAMESPACE, "service", DEPLOYMENT)?,
                uid("argocd", "applications.argoproj.io", APPLICATION)?,
            ],
            images: tags.iter().map(|tag| Ok(the_loop.manifest(tag)?.to_string())).collect::<Result<_>>()?,
        })
    }
}
