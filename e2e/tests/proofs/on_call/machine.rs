//! A part of the cluster, or what it is fed from, does not move any more.

use anyhow::{Context, Result};
use e2e::Loop;
use rustix::process::{Signal, kill_process};

use super::fault::{Asked, Fault, LIVE, UNSEEN, nothing, planted};
use crate::restarts::victim::{At, Victim};

pub const FAULTS: &[Fault] = &[
    planted(
        "a kube-controller-manager that does nothing",
        |_, _| freeze(&CONTROLLERS),
        |_, _| thaw(&CONTROLLERS),
        "nobody has acted on the Deployment's change",
    ),
    planted(
        "a kube-scheduler that does nothing",
        |_, _| freeze(&SCHEDULER),
        |_, _| thaw(&SCHEDULER),
        "no node is chosen, and nobody says why",
    ),
    planted("a kubelet that does nothing", |_, _| freeze(&KUBELET), |_, _| thaw(&KUBELET), "is its kubelet running?"),
    planted("a registry that does not answer", nothing, |_, _| thaw(&REGISTRY), "the registry of")
        .asked(Asked::BumpedWith(|_| freeze(&REGISTRY))),
    planted("a git server that does not answer", |_, _| freeze(&GIT), |_, _| thaw(&GIT), "argo-rust.git")
        .asked(Asked::Live)
        .ends(LIVE),
    planted("an API server that does not answer", |_, _| freeze(&API), |_, _| thaw(&API), "cannot reach the cluster")
        .asked(Asked::Live)
        .ends(UNSEEN),
    planted(
        "a kube-proxy that does nothing",
        |the_loop, _| {
            freeze(&PROXY)?;
            // Its rules lead to the pod that goes.
            restart(the_loop)
        },
        |_, _| thaw(&PROXY),
        "does not answer",
    )
    .asked(Asked::Live),
];

const CONTROLLERS: Victim = on_the_machine("controller-manager", "kube-controller-manager");
const SCHEDULER: Victim = on_the_machine("scheduler", "kube-scheduler");
const KUBELET: Victim = on_the_machine("kubelet", "kubelet");
const REGISTRY: Victim = on_the_machine("registry", "registry");
const GIT: Victim = on_the_machine("git", "git-server");
const API: Victim = on_the_machine("apiserver", "kube-apiserver");
const PROXY: Victim = on_the_machine("kube-proxy", "kube-proxy");

const fn on_the_machine(part: &'static str, process: &'static str) -> Victim {
    Victim { part, process, at: At::Machine }
}

fn freeze(victim: &Victim) -> Result<()> {
    kill_process(victim.pid()?, Signal::STOP).with_context(|| format!("cannot stop {}", victim.part))
}

fn thaw(victim: &Victim) -> Result<()> {
    kill_process(victim.pid()?, Signal::CONT).with_context(|| format!("cannot continue {}", victim.part))
}

fn restart(the_loop: &Loop) -> Result<()> {
    the_loop.ask(&["delete", "pods", "--all", "-n", e2e::NAMESPACE, "--wait=false"]).map(drop)
}
