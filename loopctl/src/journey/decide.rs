//! From what is known to where the commit is. Nothing here asks anybody anything.

use super::answer::{Answer, By, Hop, HopState, NAMES, Name, State};
use super::facts::{Branch, Build, Facts, Relation, RunState};
use super::rollout;
use crate::coordinates::{short, tag_of};

pub fn decide(facts: &Facts) -> Answer {
    let mut hops = Vec::new();
    let end = match &facts.branch {
        Ok(branch) => before_the_cluster(facts, branch, &mut hops),
        Err(reason) => {
            hops.push(Hop::new(Name::Pushed, HopState::Unseen, "").because([reason.clone()]));
            hops.push(image(facts));
            None
        }
    };
    let ended_before = end.is_some() || hops.iter().any(|hop| hop.hop != Name::Image && is_in_the_way(hop));
    if !ended_before {
        hops.extend(rollout::hops(facts));
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

type End = Option<(State, String, Option<By>)>;

/// The commit whose own image is waited for: the one asked for, or the merge that brought it in.
pub fn source(facts: &Facts) -> &crate::git::history::Commit {
    let source = facts.branch.as_ref().ok().and_then(|branch| branch.source.as_ref());
    source.unwrap_or(&facts.commit)
}

/// The tag that the pods have to run; None when any will do.
pub fn expected_tag(facts: &Facts) -> Option<String> {
    match facts.branch.as_ref().map(|branch| &branch.build) {
        Ok(Build::NotNeeded(_)) => None,
        _ => Some(tag_of(&source(facts).id)),
    }
}

fn before_the_cluster(facts: &Facts, branch: &Branch, hops: &mut Vec<Hop>) -> End {
    let commit = short(&facts.commit.id);
    let Some(source) = &branch.source else {
        hops.push(Hop::new(Name::Pushed, HopState::Waiting, format!("{} has not got it", branch.name)));
        return Some((State::NotPushed, format!("{commit} is not in {}: push it", branch.name), None));
    };
    let how = if source.id == facts.commit.id { String::new() } else { format!("by the merge {}", short(&source.id)) };
    hops.push(Hop::new(Name::Pushed, HopState::Done, how).at(Some(source.at)));
    if let Build::NotNeeded(tag) = &branch.build {
        let why = format!("no build needed: no input of the image changed since {tag}");
        hops.push(Hop::new(Name::Built, HopState::Skipped, why));
        hops.push(image(facts));
        hops.push(Hop::new(Name::Bump, HopState::Skipped, "not needed"));
        return None;
    }
    let tag = tag_of(&source.id);
    let is_there = matches!(facts.digest, Ok(Some(_)));
    if is_there || branch.bump.is_some() {
        hops.push(Hop::new(Name::Built, HopState::Done, ""));
        hops.push(image(facts));
    }
    match (&branch.newest.relation, &branch.bump) {
        (Relation::Own, bump) => {
            let by = bump.as_ref().or(branch.newest.by.as_ref());
            let detail = by.map(|by| format!("{} {}", short(&by.id), by.subject)).unwrap_or_default();
            hops.push(Hop::new(Name::Bump, HopState::Done, detail).at(by.map(|by| by.at)));
            None
        }
        (Relation::Newer(newer), bump) => {
            if let Some(bump) = bump {
                let detail = format!("{} {}", short(&bump.id), bump.subject);
                hops.push(Hop::new(Name::Bump, HopState::Done, detail).at(Some(bump.at)));
            }
            let live = match &facts.rollout {
                Ok(Some(rollout)) if rollout.workload.image.ends_with(&branch.newest.tag) => {
                    if rollout.workload.is_complete() { ", which is live" } else { ", which is being rolled out" }
                }
                _ => "",
            };
            let said = format!("{commit} is superseded by {} ({}){live}", short(&newer.id), newer.subject);
            Some((State::Superseded, said, Some(newer.into())))
        }
        (Relation::Older, bump) => older_is_deployed(branch, bump.is_some(), &tag, facts, hops),
    }
}

fn older_is_deployed(branch: &Branch, was_bumped: bool, tag: &str, facts: &Facts, hops: &mut Vec<Hop>) -> End {
    let deployed = &branch.newest.tag;
    let by = branch.newest.by.as_ref();
    if let Some(hold) = &branch.hold {
        let bad =
            if hold.bad_revision.is_empty() { String::new() } else { format!(", naming {} as bad", hold.bad_revision) };
        let said = format!(
            "{tag} is held: {} keeps {deployed}, by the annotation delivery.argo-rust/hold in k8s/deployment.yaml{bad}; \
             remove it and push to lift the hold",
            branch.name
        );
        hops.push(Hop::new(Name::Bump, HopState::Stuck, "held").at(by.map(|by| by.at)).because([said.clone()]));
        return Some((State::Held, said, None));
    }
    if let (true, Some(by)) = (was_bumped, by) {
        let said = format!("{tag} was taken back: {} ({}) put {deployed} in its place", short(&by.id), by.subject);
        hops.push(Hop::new(Name::Bump, HopState::Failed, "taken back").at(Some(by.at)).because([said.clone()]));
        return Some((State::Failed, said, None));
    }
    if let Some(by) = &branch.taken_back_by {
        let said = format!("{tag} is superseded: {} ({}) took its change back", short(&by.id), by.subject);
        return Some((State::Superseded, said, Some(by.into())));
    }
    wait_for_the_workflow(facts, hops)
}

/// Neither the newest manifest nor any before it names the commit's image.
fn wait_for_the_workflow(facts: &Facts, hops: &mut Vec<Hop>) -> End {
    let is_built = hops.iter().any(|hop| hop.hop == Name::Built);
    let is_newest = facts.branch.as_ref().is_ok_and(|branch| branch.tip == source(facts).id);
    let name = if is_built { Name::Bump } else { Name::Built };
    let (state, detail, reason) = match &facts.run {
        Ok(Some(run)) if run.state == RunState::Failed => {
            (HopState::Failed, "the workflow failed".to_owned(), vec![format!("see {}", run.look)])
        }
        Ok(Some(run)) if run.state == RunState::Running => {
            (HopState::Moving, format!("the workflow runs: {}", run.look), vec![])
        }
        Ok(Some(run)) => {
            let why = format!("the workflow has ended without writing the tag: see {}", run.look);
            (HopState::Stuck, "not bumped".to_owned(), vec![why])
        }
        Ok(None) if is_newest => (HopState::Moving, "no run of the workflow yet".to_owned(), vec![]),
        Ok(None) => {
            let what = "no run of its own: it was pushed together with a newer commit, or waits for one that is built";
            (HopState::Moving, what.to_owned(), vec![])
        }
        Err(reason) => {
            let detail = if is_built { "the tag is not written yet" } else { "not built yet" };
            (HopState::Moving, detail.to_owned(), vec![format!("the workflow could not be seen: {reason}")])
        }
    };
    if !is_built && facts.digest.is_err() {
        hops.push(image(facts));
    }
    hops.push(Hop::new(name, state, detail).because(reason));
    None
}

fn image(facts: &Facts) -> Hop {
    let tag = match facts.branch.as_ref().map(|branch| &branch.build) {
        Ok(Build::NotNeeded(tag)) => tag.clone(),
        _ => tag_of(&source(facts).id),
    };
    match &facts.digest {
        Ok(Some(digest)) => Hop::new(Name::Image, HopState::Done, format!("{tag} is {digest}")),
        Ok(None) => Hop::new(Name::Image, HopState::Stuck, format!("the registry has no {}:{tag}", facts.image)),
        Err(reason) => Hop::new(Name::Image, HopState::Unseen, tag).because([reason.clone()]),
    }
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
    let pods_done = of(Name::Pods) == Some(HopState::Done);
    // Without an image of its own a commit is live once a sync has it; without git nobody can say whether it has one.
    let known = expected_tag(facts).is_some() || of(Name::Synced) == Some(HopState::Done);
    let missing_image_only =
        of(Name::Image) == Some(HopState::Stuck) && hops.iter().filter(|hop| hop.state == HopState::Stuck).count() == 1;
    if is(HopState::Failed) {
        State::Failed
    } else if is(HopState::Stuck) && !(pods_done && missing_image_only) {
        State::Stuck
    } else if is(HopState::Moving) {
        State::Moving
    } else if pods_done && known {
        State::Live
    } else {
        State::Unknown
    }
}

fn summary(facts: &Facts, state: State, hops: &[Hop]) -> String {
    let commit = short(&facts.commit.id);
    let last = hops.iter().filter(|hop| is_in_the_way(hop)).next_back();
    let what = last.map(|hop| {
        let reason = hop.reason.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}: {}{reason}", hop.hop.word(), hop.detail)
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
