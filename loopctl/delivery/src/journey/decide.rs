//! From what is known to where the commit is. Nothing here asks anybody anything.

use super::answer::{Answer, Hop, HopState, NAMES, Name, State};
use super::facts::Facts;
use super::{argocd, rollout, source};
use crate::coordinates::short;

pub fn decide(facts: &Facts) -> Answer {
    let mut hops = Vec::new();
    let end = match &facts.branch {
        Ok(branch) => source::hops(facts, branch, &mut hops),
        Err(reason) => {
            hops.push(Hop::new(Name::Pushed, HopState::Unseen, "").because([reason.clone()]));
            hops.push(source::image(facts));
            None
        }
    };
    let ended_before = end.is_some() || hops.iter().any(|hop| hop.hop != Name::Image && is_in_the_way(hop));
    if !ended_before {
        hops.extend(in_the_cluster(facts));
    }
    let rest = match end {
        Some(_) => HopState::Skipped,
        None if facts.branch.is_err() => HopState::Unseen,
        None => HopState::Waiting,
    };
    let hops = complete(hops, rest);
    let source = facts.branch.as_ref().ok().and_then(|branch| branch.source.as_ref());
    let (state, summary, superseded_by) = end.unwrap_or_else(|| {
        let state = state(facts, &hops);
        (state, summary(facts, state, &hops), None)
    });
    Answer {
        commit: facts.commit.id.clone(),
        subject: facts.commit.subject.clone(),
        merged_by: source.filter(|source| source.id != facts.commit.id).map(|source| source.id.clone()),
        state,
        summary,
        superseded_by,
        hops,
    }
}

/// Seen and synced by Argo CD, running on the pods, answering: up to the first that is not done.
fn in_the_cluster(facts: &Facts) -> Vec<Hop> {
    let is_open = |hop: &Hop| !matches!(hop.state, HopState::Done | HopState::Unseen);
    let mut hops = argocd::hops(facts);
    if let Some(first) = hops.iter().position(is_open) {
        // Its manifest is not in the cluster: what the pods do is about another revision.
        hops.truncate(first + 1);
        return hops;
    }
    let pods = pods(facts);
    let is_next = !is_open(&pods);
    hops.push(pods);
    if is_next {
        hops.push(facts.serving.answering(facts.expected_tag().as_deref()));
    }
    hops
}

fn pods(facts: &Facts) -> Hop {
    let rollout = match &facts.serving.rollout {
        Ok(Some(rollout)) => rollout,
        Ok(None) => return Hop::new(Name::Pods, HopState::Stuck, "there is no Deployment"),
        Err(reason) => return Hop::new(Name::Pods, HopState::Unseen, "").because([reason.clone()]),
    };
    if facts.expected_tag().is_some() && !facts.runs_the_expected_image() {
        let why = format!("the Deployment has {}", rollout.workload.image);
        // Without git nobody knows whether this image is from before or after the commit.
        let state = if facts.branch.is_err() { HopState::Unseen } else { HopState::Stuck };
        return Hop::new(Name::Pods, state, why).because(changed_by_others(facts));
    }
    rollout::pods(facts.now, rollout)
}

/// A sync has applied the commit, and the cluster is not as it left it.
fn changed_by_others(facts: &Facts) -> Option<String> {
    let status = &facts.application.as_ref().ok()?.as_ref()?.status;
    let why = "Argo CD says OutOfSync: somebody has changed the Deployment since the sync";
    (facts.branch.is_ok() && status.sync.status == "OutOfSync").then(|| why.to_owned())
}

fn is_in_the_way(hop: &Hop) -> bool {
    matches!(hop.state, HopState::Moving | HopState::Stuck | HopState::Failed)
}

/// All hops in their order, with the time that each took.
fn complete(found: Vec<Hop>, rest: HopState) -> Vec<Hop> {
    let mut before = None;
    let hops = NAMES.iter().map(|name| {
        let hop = found.iter().find(|hop| hop.hop == *name).cloned().unwrap_or_else(|| Hop::new(*name, rest, ""));
        let seconds = hop
            .at
            .zip(before)
            .map(|(at, before): (jiff::Timestamp, jiff::Timestamp)| (at.as_second() - before.as_second()).max(0));
        before = hop.at.or(before);
        Hop { seconds, ..hop }
    });
    hops.collect()
}

fn state(facts: &Facts, hops: &[Hop]) -> State {
    let is = |state: HopState| hops.iter().any(|hop| hop.state == state);
    let of = |name: Name| hops.iter().find(|hop| hop.hop == name).map(|hop| hop.state);
    let pods = of(Name::Pods);
    let pods_done = pods == Some(HopState::Done);
    let answering = hops.iter().find(|hop| hop.hop == Name::Answering);
    let is_served = answering.is_some_and(|answering| facts.serving.is_served(answering));
    // Without an image of its own a commit is live once a sync has it; without git nobody can say whether it has one.
    let known = facts.expected_tag().is_some() || of(Name::Synced) == Some(HopState::Done);
    // An image that is gone is in the way of pods that need it, and of nobody who cannot be seen.
    let missing_image_only = matches!(pods, Some(HopState::Done | HopState::Unseen))
        && of(Name::Image) == Some(HopState::Stuck)
        && hops.iter().filter(|hop| hop.state == HopState::Stuck).count() == 1;
    if is(HopState::Failed) {
        State::Failed
    } else if is(HopState::Stuck) && !missing_image_only {
        State::Stuck
    } else if is(HopState::Moving) {
        State::Moving
    } else if pods_done && known && is_served {
        State::Live
    } else {
        State::Unknown
    }
}

fn summary(facts: &Facts, state: State, hops: &[Hop]) -> String {
    let commit = short(&facts.commit.id);
    let last = hops.iter().rfind(|hop| is_in_the_way(hop));
    let what = last.map(|hop| {
        let said = [hop.detail.as_str(), hop.reason.first().map_or("", String::as_str)];
        let said: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}: {}", hop.hop.word(), said.join(": "))
    });
    let what = what.unwrap_or_default();
    match state {
        State::Live => {
            let pods = hops.iter().find(|hop| hop.hop == Name::Pods);
            let pushed = hops.first().and_then(|hop| hop.at);
            let took =
                pods.and_then(|hop| hop.at).zip(pushed).map(|(live, pushed)| live.as_second() - pushed.as_second());
            let took = took.filter(|took| *took >= 0).map(|took| format!(", {took} s after it was committed"));
            let detail = pods.map(|hop| hop.detail.clone()).unwrap_or_default();
            format!("{commit} is live on {detail}{}", took.unwrap_or_default())
        }
        State::Moving => format!("{commit} is on its way; {what}"),
        State::Stuck => format!("{commit} is stuck; {what}"),
        State::Failed => format!("{commit} failed; {what}"),
        _ => {
            let unseen: Vec<&str> =
                hops.iter().filter(|hop| hop.state == HopState::Unseen).map(|hop| hop.hop.word()).collect();
            format!("cannot tell where {commit} is: could not see {}", unseen.join(", "))
        }
    }
}
