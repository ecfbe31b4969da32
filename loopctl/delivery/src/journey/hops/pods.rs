//! What the rollout does, and what is in its way, in the order in which a person would mend it.

use jiff::Timestamp;

use super::Look;
use crate::cluster::pods::{Kind, Pod, Trouble};
use crate::cluster::workload::Workload;
use crate::journey::answer::{Hop, HopState};
use crate::journey::facts::{Facts, Rollout};
use crate::journey::since::{self, more_than};

pub const NAME: &str = "pods";

/// A controller or a scheduler that works acts within a second.
const ACTED: i64 = 10;
/// A node that is busy takes its time until it says a first word.
const HEARD: i64 = 20;
/// Whatever has gone on for this long without a word is not just starting.
const STARTING: i64 = 30;
/// A program that has ended by itself this often will do so again.
const CRASHES: i32 = 2;

pub fn look(facts: &Facts) -> Look {
    Look::at(of_commit(facts))
}

fn of_commit(facts: &Facts) -> Hop {
    let rollout = match &facts.serving.rollout {
        Ok(Some(rollout)) => rollout,
        Ok(None) => return Hop::new(NAME, HopState::Stuck, "there is no Deployment"),
        Err(reason) => return Hop::new(NAME, HopState::Unseen, "").because([reason.clone()]),
    };
    if facts.expected_tag().is_some() && !facts.runs_the_expected_image() {
        let why = format!("the Deployment has {}", rollout.workload.image);
        // Without git nobody knows whether this image is from before or after the commit.
        let state = if facts.branch.is_err() { HopState::Unseen } else { HopState::Stuck };
        return Hop::new(NAME, state, why).because(changed_by_others(facts));
    }
    pods(facts.now, rollout)
}

/// A sync has applied the commit, and the cluster is not as it left it.
fn changed_by_others(facts: &Facts) -> Option<String> {
    let status = &facts.application.as_ref().ok()?.as_ref()?.status;
    let why = "Argo CD says OutOfSync: somebody has changed the Deployment since the sync";
    (facts.branch.is_ok() && status.sync.status == "OutOfSync").then(|| why.to_owned())
}

/// Whether all pods run what the Deployment says, and if not, why.
pub fn pods(now: Timestamp, rollout: &Rollout) -> Hop {
    let workload = &rollout.workload;
    if workload.wanted == 0 {
        let why = "the Deployment is scaled to 0: set replicas in tofu/terraform.tfvars";
        return Hop::new(NAME, HopState::Stuck, why);
    }
    let ready = ready(rollout);
    let rest = match ready >= usize::try_from(workload.wanted).unwrap_or(0) {
        _ if workload.paused && !workload.is_complete() => ", paused",
        true if workload.total > workload.updated => ", the old ones still run",
        true if !workload.is_complete() => ", not for long enough yet",
        _ => "",
    };
    let detail = format!("{ready} of {} pods{rest}", workload.wanted);
    if workload.is_complete() {
        return Hop::new(NAME, HopState::Done, detail).at(live_since(rollout));
    }
    let (worst, reasons) = obstacles(now, rollout);
    let deadline = workload.deadline_exceeded().then(|| workload.progress.message.clone());
    let state = if deadline.is_some() { HopState::Failed } else { worst };
    Hop::new(NAME, state, detail).because(reasons).because(deadline)
}

/// The pods of the newest template that are not about to go.
pub fn of_newest(rollout: &Rollout) -> impl DoubleEndedIterator<Item = &Pod> {
    let newest = rollout.workload.newest.as_ref().map(|set| set.name.as_str());
    rollout.pods.iter().filter(move |pod| !pod.leaving && Some(pod.replica_set.as_str()) == newest)
}

/// While nobody has acted on a change, the newest ReplicaSet is that of the template before.
fn ready(rollout: &Rollout) -> usize {
    let ready = of_newest(rollout).filter(|pod| pod.ready).count();
    let updated = if rollout.workload.observed { rollout.workload.updated } else { 0 };
    ready.min(usize::try_from(updated).unwrap_or(0))
}

/// When the rollout ended, but not before the pod that became ready last: pods may be newer than their rollout.
fn live_since(rollout: &Rollout) -> Option<Timestamp> {
    rollout.workload.progress.at.or_else(|| of_newest(rollout).filter_map(|pod| pod.ready_since).max())
}

/// What is in the way of the pods, and how bad it is; without any the rollout just takes its time.
pub fn obstacles(now: Timestamp, rollout: &Rollout) -> (HopState, Vec<String>) {
    let workload = &rollout.workload;
    let mut found: Vec<(HopState, Vec<String>)> = Vec::new();
    let mut stuck = |why: String| found.push((HopState::Stuck, vec![why]));
    if workload.paused {
        let Workload { name, namespace, .. } = workload;
        stuck(format!("the rollout is paused: `kubectl rollout resume deployment/{name} -n {namespace}`"));
    }
    if !workload.observed && passed(now, workload.changed_at) >= ACTED {
        let since = more_than(passed(now, workload.changed_at));
        stuck(format!(
            "nobody has acted on the Deployment's change for more than {since}: is kube-controller-manager running?"
        ));
    }
    let newest = workload.newest.as_ref();
    if let Some(failure) = newest.and_then(|set| set.failure.as_ref()) {
        stuck(format!("no pod can be made: {failure}"));
    } else if let Some(set) = newest.filter(|_| workload.observed && !workload.paused) {
        let since = passed(now, set.created_at);
        let has_none = rollout.pods.iter().all(|pod| pod.replica_set != set.name);
        if since >= ACTED && workload.updated < workload.wanted && has_none {
            // With the strategy Recreate the new pods are made when the old ones have ended.
            let leaving = rollout.pods.iter().find(|pod| pod.leaving);
            stuck(match leaving {
                Some(old) => format!("pod {} of the revision before does not end: `kubectl describe` it", old.name),
                None => {
                    let why = "has no pod, and nobody says why: is kube-controller-manager running?";
                    format!("ReplicaSet {} is more than {} old and {why}", set.name, more_than(since))
                }
            });
        }
    }
    found.extend(of_pods(now, rollout));
    let worst = found.iter().map(|(state, _)| *state).max_by_key(|state| match state {
        HopState::Failed => 2,
        HopState::Stuck => 1,
        _ => 0,
    });
    // A program that ends by itself does so also while somebody has paused the rollout, which is no failure of it.
    let worst = worst.map(|worst| if workload.paused { HopState::Stuck } else { worst });
    (worst.unwrap_or(HopState::Moving), found.into_iter().flat_map(|(_, reasons)| reasons).collect())
}

/// Several pods of one template have the same trouble; each kind of it is told once, of the newest pod that has it.
fn of_pods(now: Timestamp, rollout: &Rollout) -> Vec<(HopState, Vec<String>)> {
    let mut told = Vec::new();
    let mut found = Vec::new();
    for pod in of_newest(rollout).filter(|pod| !pod.ready).rev() {
        let Some(trouble) = pod.trouble.clone().or_else(|| silence(now, pod)) else { continue };
        let kind = (trouble.kind, pod.troubled.clone());
        if !told.contains(&kind) {
            told.push(kind);
            let log = trouble.log.iter().map(|line| format!("| {line}"));
            found.push((
                severity(now, pod, &trouble),
                std::iter::once(describe(now, pod, &trouble)).chain(log).collect(),
            ));
        }
    }
    found
}

/// Nobody says anything about the pod, and it has been waiting for longer than anything takes.
fn silence(now: Timestamp, pod: &Pod) -> Option<Trouble> {
    let since = passed(now, pod.running_since.or(pod.created_at));
    let long = match &pod.node {
        None => ACTED,
        Some(_) if !pod.is_heard_of => HEARD,
        Some(_) => STARTING,
    };
    if since < long {
        return None;
    }
    let since = more_than(since);
    let message = match &pod.node {
        None => format!("for more than {since} no node is chosen, and nobody says why: is kube-scheduler running?"),
        Some(node) if !pod.is_heard_of => {
            format!("for more than {since} node {node} has not begun with it: is its kubelet running?")
        }
        Some(node) if pod.running_since.is_none() => {
            format!("for more than {since} node {node} prepares it: it pulls the image, or mounts its volumes")
        }
        Some(_) => format!("for more than {since} it runs and is not ready, and nobody says why"),
    };
    Some(Trouble { kind: Kind::Silence, reason: "Waiting".into(), message, log: Vec::new() })
}

fn severity(now: Timestamp, pod: &Pod, trouble: &Trouble) -> HopState {
    let running = passed(now, pod.running_since);
    match trouble.kind {
        Kind::Crash if pod.running_since.is_none() && pod.restarts >= CRASHES => HopState::Failed,
        // It runs again, and this time may hold.
        Kind::Crash if pod.running_since.is_some() && running < STARTING => HopState::Moving,
        Kind::Probe | Kind::Unended if pod.restarts == 0 && running < STARTING => HopState::Moving,
        // A large image takes its time, and so does a program that is asked late.
        Kind::Silence if pod.node.is_some() && pod.is_heard_of && pod.trouble.is_none() => HopState::Moving,
        _ => HopState::Stuck,
    }
}

fn describe(now: Timestamp, pod: &Pod, trouble: &Trouble) -> String {
    let again = if pod.restarts > 0 { format!(", restarted {} times", pod.restarts) } else { String::new() };
    let of = pod.troubled.as_ref().map(|container| format!("{container} of ")).unwrap_or_default();
    let since = match trouble.kind {
        Kind::Unended => format!(" for more than {}", more_than(passed(now, pod.running_since))),
        _ => String::new(),
    };
    format!("{}{since} in {of}pod {}{again}: {}", trouble.reason, pod.name, trouble.message)
}

/// None has passed when nobody knows since when.
fn passed(now: Timestamp, since: Option<Timestamp>) -> i64 {
    since.map_or(0, |since| since::passed(now, since))
}
