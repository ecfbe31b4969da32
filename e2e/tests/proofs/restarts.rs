//! Each part of the loop is killed while the service is under load, and comes back by itself.

pub mod victim;

use std::time::Instant;

use anyhow::{Context, Result};
use e2e::load::{Connections, Failure, Load, Stream, summary};
use e2e::repetitions::PARTS_KILLED_IN_EACH_PLACE;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE, extras, service, shell, wait};
use rustix::process::{Signal, kill_process};

use self::victim::{At, HEALED, Victim};

fn load() -> Result<Vec<Stream>> {
    let path = service::probe_path()?;
    let mut streams = vec![
        Stream { name: "kept alive", path, connections: Connections::Kept(16), rate: 400 },
        Stream { name: "fresh connections", path, connections: Connections::FreshEachTime, rate: 100 },
    ];
    let computations = extras::SHORT_COMPUTATION.map(|path| Stream {
        name: "computations",
        path,
        connections: Connections::Kept(2),
        rate: 5,
    });
    streams.extend(computations);
    Ok(streams)
}

/// The parts of one place, killed one after the other, the first ones where few are; a bump then has to go through all
/// of them.
struct Round {
    of: &'static str,
    victims: &'static [Victim],
}

const ROUNDS: [Round; 4] = [
    Round {
        of: "Argo CD",
        victims: &[
            Victim { part: "application-controller", process: "argocd-application-controller", at: At::Pod },
            Victim { part: "repo-server", process: "argocd-repo-server", at: At::Pod },
            Victim { part: "redis", process: "redis-server", at: At::Pod },
        ],
    },
    Round {
        of: "the node",
        victims: &[
            Victim { part: "kubelet", process: "kubelet", at: At::Machine },
            Victim { part: "containerd", process: "containerd", at: At::Machine },
            Victim { part: "kube-proxy", process: "kube-proxy", at: At::Machine },
        ],
    },
    Round {
        of: "the control plane",
        victims: &[
            Victim { part: "apiserver", process: "kube-apiserver", at: At::Machine },
            Victim { part: "etcd", process: "etcd", at: At::Machine },
            Victim { part: "controller-manager", process: "kube-controller-manager", at: At::Machine },
            Victim { part: "scheduler", process: "kube-scheduler", at: At::Machine },
        ],
    },
    Round {
        of: "where commits and images come from",
        victims: &[
            Victim { part: "registry", process: "registry", at: At::Machine },
            Victim { part: "git", process: "git-server", at: At::Machine },
        ],
    },
];

pub fn each_part_is_killed_under_load_and_the_loop_heals(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let tag = clone.tag()?;
    let tags = [the_loop.fresh_tag(&tag)?, tag];
    let (first, before) = (clone.head()?, Kept::of(the_loop, &tags)?);
    let load = Load::start(service::ADDRESS.parse()?, &load()?)?;
    for (number, round) in ROUNDS.iter().enumerate() {
        // In the seconds of a drain routing has to follow; a part that is down just then is another subject.
        the_loop.wait_for_old_pods()?;
        let killed = usize::try_from(PARTS_KILLED_IN_EACH_PLACE.times())?;
        for victim in round.victims.iter().take(killed) {
            let (failed, begin) = (load.failures().len(), Instant::now());
            let healed = victim.kill(the_loop)?;
            let failures = load.failures().split_off(failed);
            report.measured(format!(
                "{}: ready again after {}; failed requests: {}",
                victim.part,
                wait::seconds(healed),
                summary(&failures)
            ));
            show(&failures, begin);
        }
        let (failed, begin) = (load.failures().len(), Instant::now());
        the_loop.deliver(&clone, &tags[number % 2])?;
        let (live, failures) = (begin.elapsed(), load.failures().split_off(failed));
        report.measured(format!(
            "after {}: the next bump live after {}; failed requests: {}",
            round.of,
            wait::seconds(live),
            summary(&failures)
        ));
        show(&failures, begin);
    }
    let streams = load.end()?;
    for stream in &streams {
        report.measured(stream.to_string());
        ensure("no request fails", stream.failures.is_empty(), summary(&stream.failures))?;
    }
    expect("what was there before is there", Kept::of(the_loop, &tags)?, before)?;
    clone.update()?;
    let commits = shell::run(clone.git().args(["rev-list", "--count", &format!("{first}..HEAD")]))?;
    expect("every commit that was pushed is in master", commits.trim(), ROUNDS.len().to_string().as_str())?;
    killing_the_service_itself_is_noticed(the_loop, report)
}

fn show(failures: &[Failure], begin: Instant) {
    for failure in failures {
        let after = failure.at.duration_since(begin).as_secs_f64();
        println!("      {after:.3} s later, {}: {}", failure.stream, failure.what);
    }
}

fn killing_the_service_itself_is_noticed(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let victim = Victim { part: "the service", process: "argo-rust", at: At::Pod };
    // A pod of the last bump that is still draining is not the one that answers.
    the_loop.wait_for_old_pods()?;
    let load = Load::start(service::ADDRESS.parse()?, &load()?)?;
    let (old, begin) = (victim.pid()?, Instant::now());
    kill_process(old, Signal::KILL).context("cannot kill the service")?;
    wait::until("the service answers again", HEALED, || {
        ensure("another process", victim.pid()? != old, "the one that was killed")?;
        service::probe().map(drop)
    })?;
    let (healed, failed) = (begin.elapsed(), load.failures().len());
    load.end()?;
    report.control(format!(
        "the only pod of the service killed: {failed} requests fail, it answers again after {:.1} s",
        healed.as_secs_f64()
    ));
    ensure("the load notices", failed > 0, failed)
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
