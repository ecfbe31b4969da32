//! From what is known to where the commit is. Nothing here asks anybody anything.

use super::answer::{Answer, Hop, HopState, State};
use super::facts::Facts;
use super::hops::{HOPS, answering, image, pods, synced};
use crate::coordinates::short;

pub fn decide(facts: &Facts) -> Answer {
    let (mut found, mut end) = (Vec::new(), None);
    for each in HOPS {
        let look = (each.look)(facts);
        found.extend(look.hops);
        end = look.end;
        if !look.goes_on {
            break;
        }
    }
    let rest = match &end {
        Some(_) => HopState::Skipped,
        None if facts.branch.is_err() => HopState::Unseen,
        None => HopState::Waiting,
    };
    let hops = complete(&found, rest);
    let source = facts.branch.as_ref().ok().and_then(|branch| branch.source.as_ref());
    let (state, summary, superseded_by) = match end {
        Some(end) => (end.state, end.summary, end.by),
        None => {
            let state = state(facts, &hops);
            (state, summary(facts, state, &hops), None)
        }
    };
    let files = &facts.names.files;
    Answer {
        service: facts.names.deployment.clone(),
        commit: facts.commit.id.clone(),
        subject: facts.commit.subject.clone(),
        merged_by: source.filter(|source| source.id != facts.commit.id).map(|source| source.id.clone()),
        state,
        summary: files.said(&summary),
        superseded_by,
        hops: hops.into_iter().map(|hop| hop.of_service(files)).collect(),
    }
}

fn is_in_the_way(hop: &Hop) -> bool {
    matches!(hop.state, HopState::Moving | HopState::Stuck | HopState::Failed)
}

/// All hops in their order, with the time that each took.
fn complete(found: &[Hop], rest: HopState) -> Vec<Hop> {
    let mut before = None;
    let hops = HOPS.iter().map(|each| {
        let hop = found.iter().find(|hop| hop.hop == each.name).cloned();
        let hop = hop.unwrap_or_else(|| Hop::new(each.name, rest, ""));
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
    let of = |name: &str| hops.iter().find(|hop| hop.hop == name).map(|hop| hop.state);
    let running = of(pods::NAME);
    let pods_done = running == Some(HopState::Done);
    let answering = hops.iter().find(|hop| hop.hop == answering::NAME);
    let is_served = answering.is_some_and(|answering| facts.serving.is_served(answering));
    // Without an image of its own a commit is live once a sync has it; without git nobody can say whether it has one.
    let known = facts.expected_tag().is_some() || of(synced::NAME) == Some(HopState::Done);
    // An image that is gone is in the way of pods that need it, and of nobody who cannot be seen.
    let missing_image_only = matches!(running, Some(HopState::Done | HopState::Unseen))
        && of(image::NAME) == Some(HopState::Stuck)
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
    let what = last.map(Hop::said).unwrap_or_default();
    match state {
        State::Live => {
            let running = hops.iter().find(|hop| hop.hop == pods::NAME);
            let pushed = hops.first().and_then(|hop| hop.at);
            let took =
                running.and_then(|hop| hop.at).zip(pushed).map(|(live, pushed)| live.as_second() - pushed.as_second());
            let took = took.filter(|took| *took >= 0).map(|took| format!(", {took} s after it was committed"));
            let detail = running.map(|hop| hop.detail.clone()).unwrap_or_default();
            format!("{commit} is live on {detail}{}", took.unwrap_or_default())
        }
        State::Moving => format!("{commit} is on its way; {what}"),
        State::Stuck => format!("{commit} is stuck; {what}"),
        State::Failed => format!("{commit} failed; {what}"),
        _ => {
            let unseen: Vec<&str> =
                hops.iter().filter(|hop| hop.state == HopState::Unseen).map(|hop| hop.hop).collect();
            format!("cannot tell where {commit} is: could not see {}", unseen.join(", "))
        }
    }
}
