//! The hops inside the cluster: seen and synced by Argo CD, running on the pods, answering.

use jiff::Timestamp;

use super::answer::{Hop, HopState, Name};
use super::decide::expected_tag;
use super::facts::{Facts, Rollout};
use crate::cluster::application::Application;
use crate::cluster::pods::{Kind, Pod, Trouble};
use crate::coordinates::{short, split_image};

/// A pod that has run this long without passing its probes is not just starting.
const STARTING: i64 = 30;
/// A program that has ended by itself this often will do so again.
const CRASHES: i32 = 2;

pub fn hops(facts: &Facts) -> Vec<Hop> {
    let mut hops = match &facts.application {
        // Which revision has the commit is known from git alone.
        _ if facts.branch.is_err() => Vec::new(),
        Ok(Some(application)) => vec![seen(facts, application), synced(facts, application)],
        Ok(None) => {
            let why = "there is no such Application: apply argocd/application.yaml";
            vec![Hop::new(Name::Seen, HopState::Stuck, why)]
        }
        Err(reason) => {
            [Name::Seen, Name::Synced].map(|name| Hop::new(name, HopState::Unseen, "").because([reason.clone()])).into()
        }
    };
    if let Some(first) = hops.iter().position(is_open) {
        // Its manifest is not in the cluster: what the pods do is about another revision.
        hops.truncate(first + 1);
        return hops;
    }
    hops.push(pods(facts));
    if !hops.iter().any(is_open) {
        hops.push(answering(facts));
    }
    hops
}

fn is_open(hop: &Hop) -> bool {
    !matches!(hop.state, HopState::Done | HopState::Unseen)
}

fn seen(facts: &Facts, application: &Application) -> Hop {
    let revision = &application.status.sync.revision;
    if facts.containing.contains(revision) {
        let started = first_sync(facts, application).and_then(|(started, _)| started);
        return Hop::new(Name::Seen, HopState::Done, format!("at revision {}", short(revision))).at(started);
    }
    let errors = conditions(application);
    if errors.is_empty() {
        let detail = if revision.is_empty() {
            "no revision yet".to_owned()
        } else {
            format!("still at revision {}", short(revision))
        };
        return Hop::new(Name::Seen, HopState::Moving, format!("Argo CD is {detail}"));
    }
    Hop::new(Name::Seen, HopState::Stuck, "Argo CD cannot compare").because(errors)
}

fn synced(facts: &Facts, application: &Application) -> Hop {
    let status = &application.status;
    if let Some((_, deployed)) = first_sync(facts, application) {
        return Hop::new(Name::Synced, HopState::Done, "").at(deployed);
    }
    if status.history.iter().any(|entry| facts.containing.contains(&entry.revision)) {
        return Hop::new(Name::Synced, HopState::Done, "longer ago than Argo CD remembers");
    }
    if status.sync.status == "Synced" {
        return Hop::new(Name::Synced, HopState::Done, "nothing to apply");
    }
    let mut reasons = conditions(application);
    if let Some(operation) = &status.operation_state {
        let failed = matches!(operation.phase.as_str(), "Failed" | "Error") || operation.retry_count > 0;
        if failed && facts.containing.contains(operation.revision()) {
            reasons.insert(0, operation.message.clone());
        }
    }
    if reasons.is_empty() {
        return Hop::new(Name::Synced, HopState::Moving, format!("Argo CD says {}", status.sync.status));
    }
    Hop::new(Name::Synced, HopState::Stuck, "the sync fails").because(reasons)
}

/// When the first sync that had the commit began and ended; None when it is not among those that Argo CD remembers.
fn first_sync(facts: &Facts, application: &Application) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let history = &application.status.history;
    let first = history.iter().position(|entry| facts.containing.contains(&entry.revision))?;
    // The oldest one that is remembered need not be the first one that had the commit.
    let is_all = history.len() < 10;
    let entry = history.get(first).filter(|_| first > 0 || is_all)?;
    Some((entry.deploy_started_at, entry.deployed_at))
}

fn conditions(application: &Application) -> Vec<String> {
    let errors = application.status.conditions.iter().filter(|condition| condition.kind.ends_with("Error"));
    errors.map(|condition| format!("{}: {}", condition.kind, condition.message)).collect()
}

fn pods(facts: &Facts) -> Hop {
    let rollout = match &facts.rollout {
        Ok(Some(rollout)) => rollout,
        Ok(None) => return Hop::new(Name::Pods, HopState::Stuck, "there is no Deployment"),
        Err(reason) => return Hop::new(Name::Pods, HopState::Unseen, "").because([reason.clone()]),
    };
    let workload = &rollout.workload;
    if let Some(tag) = expected_tag(facts)
        && workload.image != format!("{}:{tag}", facts.image)
    {
        let why = format!("the Deployment has {}", workload.image);
        // Without git nobody knows whether this image is from before or after the commit.
        let state = if facts.branch.is_err() { HopState::Unseen } else { HopState::Stuck };
        return Hop::new(Name::Pods, state, why);
    }
    if workload.wanted == 0 {
        let why = "the Deployment is scaled to 0: set replicas in tofu/terraform.tfvars";
        return Hop::new(Name::Pods, HopState::Stuck, why);
    }
    let ready = ready(rollout);
    let rest = match ready >= usize::try_from(workload.wanted).unwrap_or(0) {
        true if workload.total > workload.updated => ", the old ones still run",
        true if !workload.is_complete() => ", not for long enough yet",
        _ => "",
    };
    let detail = format!("{ready} of {} pods{rest}", workload.wanted);
    if workload.is_complete() {
        return Hop::new(Name::Pods, HopState::Done, detail).at(live_since(rollout));
    }
    let (worst, reasons) = obstacles(facts.now, rollout);
    let deadline = workload.deadline_exceeded().then(|| workload.progress.message.clone());
    let state = if deadline.is_some() { HopState::Failed } else { worst };
    Hop::new(Name::Pods, state, detail).because(reasons).because(deadline)
}

fn of_newest(rollout: &Rollout) -> impl DoubleEndedIterator<Item = &Pod> {
    let newest = rollout.workload.newest.as_ref().map(|set| set.name.as_str());
    rollout.pods.iter().filter(move |pod| !pod.leaving && Some(pod.replica_set.as_str()) == newest)
}

fn ready(rollout: &Rollout) -> usize {
    of_newest(rollout).filter(|pod| pod.ready).count()
}

/// When the rollout ended, but not before the pod that became ready last: pods may be newer than their rollout.
fn live_since(rollout: &Rollout) -> Option<Timestamp> {
    rollout.workload.progress.at.or_else(|| of_newest(rollout).filter_map(|pod| pod.ready_since).max())
}

/// What is in the way of the pods, and how bad it is; without any the rollout just takes its time.
pub fn obstacles(now: Timestamp, rollout: &Rollout) -> (HopState, Vec<String>) {
    let mut worst = HopState::Moving;
    let mut reasons = Vec::new();
    if let Some(failure) = rollout.workload.newest.as_ref().and_then(|set| set.failure.as_ref()) {
        worst = HopState::Stuck;
        reasons.push(format!("no pod can be made: {failure}"));
    }
    // Several pods of one template have the same trouble.
    if let Some((pod, trouble)) = of_newest(rollout).filter_map(|pod| Some((pod, pod.trouble.as_ref()?))).next_back() {
        let severity = severity(now, pod, trouble);
        if worst == HopState::Moving || severity == HopState::Failed {
            worst = severity;
        }
        reasons.push(describe(pod, trouble));
        reasons.extend(trouble.log.iter().map(|line| format!("| {line}")));
    }
    (worst, reasons)
}

fn severity(now: Timestamp, pod: &Pod, trouble: &Trouble) -> HopState {
    let running = pod.running_since.map_or(0, |since| now.as_second() - since.as_second());
    match trouble.kind {
        Kind::Crash if pod.restarts >= CRASHES => HopState::Failed,
        Kind::Probe if pod.restarts == 0 && running < STARTING => HopState::Moving,
        _ => HopState::Stuck,
    }
}

fn describe(pod: &Pod, trouble: &Trouble) -> String {
    let again = if pod.restarts > 0 { format!(", restarted {} times", pod.restarts) } else { String::new() };
    format!("{} in pod {}{again}: {}", trouble.reason, pod.name, trouble.message)
}

fn answering(facts: &Facts) -> Hop {
    let endpoint = match &facts.endpoint {
        Ok(endpoint) => endpoint,
        Err(reason) => {
            let state = if facts.endpoint_is_given { HopState::Stuck } else { HopState::Unseen };
            return Hop::new(Name::Answering, state, "").because([reason.clone()]);
        }
    };
    let running = facts.rollout.as_ref().ok().and_then(|rollout| rollout.as_ref());
    let running = running.and_then(|rollout| Some(split_image(&rollout.workload.image).ok()?.1));
    let expected = expected_tag(facts).or(running).unwrap_or_default();
    let detail = format!("{} answers {}", endpoint.address, endpoint.tag);
    let state = if endpoint.tag == expected { HopState::Done } else { HopState::Moving };
    Hop::new(Name::Answering, state, detail)
}
