//! The hops before the cluster: pushed, built, in the registry, written into the manifest.

use super::answer::{By, Hop, HopState, Name, State};
use super::facts::{Branch, Build, Facts, Relation, Rollout, RunState};
use crate::coordinates::{DEPLOYMENT, HOLD, short, tag_of};

/// Set when the journey is over before it gets to the cluster.
pub type End = Option<(State, String, Option<By>)>;

pub fn hops(facts: &Facts, branch: &Branch, hops: &mut Vec<Hop>) -> End {
    let commit = short(&facts.commit.id);
    let Some(source) = &branch.source else {
        if let Some(other) = &branch.taken_over_as {
            let name = &branch.name;
            let said = format!("its change is in {name} as {} ({})", short(&other.id), other.subject);
            hops.push(Hop::new(Name::Pushed, HopState::Skipped, said.clone()));
            return Some((State::Superseded, format!("{commit}: {said}: ask about that one"), Some(other.into())));
        }
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
            let live = match &facts.serving.rollout {
                Ok(Some(rollout)) if rollout.workload.image.ends_with(&branch.newest.tag) => {
                    if is_live(facts, rollout, &branch.newest.tag) {
                        ", which is live"
                    } else {
                        ", which is being rolled out"
                    }
                }
                _ => "",
            };
            let said = format!("{commit} is superseded by {} ({}){live}", short(&newer.id), newer.subject);
            Some((State::Superseded, said, Some(newer.into())))
        }
        (Relation::Older, bump) => older_is_deployed(branch, bump.is_some(), &tag, facts, hops),
    }
}

fn is_live(facts: &Facts, rollout: &Rollout, tag: &str) -> bool {
    let is_served = || facts.serving.is_served(&facts.serving.answering(Some(tag)));
    super::rollout::pods(facts.now, rollout).is_done() && is_served()
}

fn older_is_deployed(branch: &Branch, was_bumped: bool, tag: &str, facts: &Facts, hops: &mut Vec<Hop>) -> End {
    let deployed = &branch.newest.tag;
    let by = branch.newest.by.as_ref();
    if let Some(hold) = &branch.hold {
        let bad = if hold.bad.is_empty() { String::new() } else { format!(", naming {} as bad", hold.bad) };
        let how = if hold.is_certain {
            format!("by the annotation {HOLD} in {DEPLOYMENT}{bad}; `cargo loopctl resume` lifts it")
        } else {
            format!("as line {} of {DEPLOYMENT} may be the annotation {HOLD}, and in doubt it holds", hold.line)
        };
        let said = format!("{tag} is held: {} keeps {deployed}, {how}", branch.name);
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
    let is_newest = facts.branch.as_ref().is_ok_and(|branch| branch.tip == facts.built_as().id);
    let skips = facts.branch.as_ref().ok().and_then(|branch| branch.skips_runs.as_deref());
    let name = if is_built { Name::Bump } else { Name::Built };
    let (state, detail, reason) = match &facts.run {
        Ok(Some(run)) if run.state == RunState::Failed => {
            let what =
                if is_built { "the workflow failed, so the image is not deployed" } else { "the workflow failed" };
            (HopState::Failed, what.to_owned(), vec![format!("see {}", run.look)])
        }
        Ok(Some(run)) if run.state == RunState::Running => {
            (HopState::Moving, format!("the workflow runs: {}", run.look), vec![])
        }
        Ok(Some(run)) => {
            let why = format!("the workflow has ended without writing the tag: see {}", run.look);
            (HopState::Stuck, "not bumped".to_owned(), vec![why])
        }
        Ok(None) | Err(_) if is_newest && skips.is_some() => {
            let words = skips.unwrap_or_default();
            let why = format!("its message says {words}: push a commit that says nothing of the kind");
            (HopState::Stuck, "no run of the workflow will come".to_owned(), vec![why])
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
    hops.extend(meanwhile(facts));
    None
}

/// The pods of the revision that is deployed instead, where something is in their way: it may be in this one's too.
fn meanwhile(facts: &Facts) -> Option<Hop> {
    let rollout = facts.serving.rollout.as_ref().ok()?.as_ref()?;
    let pods = super::rollout::pods(facts.now, rollout);
    let is_in_trouble = matches!(pods.state, HopState::Stuck | HopState::Failed) && !pods.reason.is_empty();
    let detail = format!("meanwhile {} of {}", pods.detail, rollout.workload.image);
    is_in_trouble.then(|| Hop::new(Name::Pods, HopState::Waiting, detail).because(pods.reason))
}

/// Whether the registry has the image that the commit needs.
pub fn image(facts: &Facts) -> Hop {
    let tag = match facts.branch.as_ref().map(|branch| &branch.build) {
        Ok(Build::NotNeeded(tag)) => tag.clone(),
        _ => tag_of(&facts.built_as().id),
    };
    match &facts.digest {
        Ok(Some(digest)) => Hop::new(Name::Image, HopState::Done, format!("{tag} is {digest}")),
        // Without git nobody knows whether the commit needs one of its own.
        Ok(None) if facts.branch.is_err() => {
            let why = format!("the registry has no {}, which the commit may not need", facts.names.image_of(&tag));
            Hop::new(Name::Image, HopState::Unseen, why)
        }
        Ok(None) => {
            let why = format!("the registry has no {}", facts.names.image_of(&tag));
            Hop::new(Name::Image, HopState::Stuck, why)
        }
        Err(reason) => Hop::new(Name::Image, HopState::Unseen, tag).because([reason.clone()]),
    }
}
