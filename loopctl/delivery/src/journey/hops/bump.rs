//! Whether the manifest names the commit's image, or that of another one.

use super::Look;
use crate::coordinates::{DEPLOYMENT, short, tag_of};
use crate::git::history::Commit;
use crate::journey::answer::{End, Hop, HopState, State};
use crate::journey::facts::{Branch, Build, Facts, Relation};
use crate::journey::waiting;

pub const NAME: &str = "bump";

pub fn look(facts: &Facts) -> Look {
    let Ok(branch) = &facts.branch else { return Look::nothing() };
    if branch.build != Build::Needed {
        return Look::at(Hop::new(NAME, HopState::Skipped, "not needed"));
    }
    match &branch.newest.relation {
        Relation::Own => Look::at(done(branch.bump.as_ref().or(branch.newest.by.as_ref()))),
        Relation::Newer(newer) => superseded(facts, branch, newer),
        Relation::Older => older_is_deployed(facts, branch),
    }
}

fn done(by: Option<&Commit>) -> Hop {
    let detail = by.map(|by| format!("{} {}", short(&by.id), by.subject)).unwrap_or_default();
    Hop::new(NAME, HopState::Done, detail).at(by.map(|by| by.at))
}

fn superseded(facts: &Facts, branch: &Branch, newer: &Commit) -> Look {
    let live = match &facts.serving.rollout {
        Ok(Some(rollout)) if rollout.workload.image.ends_with(&branch.newest.tag) => {
            let image = facts.names.image_of(&branch.newest.tag);
            if facts.serving.live(&image).is_ok() { ", which is live" } else { ", which is being rolled out" }
        }
        _ => "",
    };
    let commit = short(&facts.commit.id);
    let said = format!("{commit} is superseded by {} ({}){live}", short(&newer.id), newer.subject);
    Look::ends(branch.bump.as_ref().map(|bump| done(Some(bump))), End::new(State::Superseded, said).by(newer))
}

fn older_is_deployed(facts: &Facts, branch: &Branch) -> Look {
    let (tag, deployed) = (tag_of(&facts.built_as().id), &branch.newest.tag);
    let by = branch.newest.by.as_ref();
    if let Some(hold) = &branch.hold {
        let bad = if hold.bad.is_empty() { String::new() } else { format!(", naming {} as bad", hold.bad) };
        let key = &facts.names.hold;
        let how = if hold.is_certain {
            format!("by the annotation {key} in {DEPLOYMENT}{bad}; `cargo loopctl resume` lifts it")
        } else {
            format!("as line {} of {DEPLOYMENT} may be the annotation {key}, and in doubt it holds", hold.line)
        };
        let said = format!("{tag} is held: {} keeps {deployed}, {how}", branch.name);
        let hop = Hop::new(NAME, HopState::Stuck, "held").at(by.map(|by| by.at)).because([said.clone()]);
        return Look::ends(Some(hop), End::new(State::Held, said));
    }
    if let (Some(_), Some(by)) = (&branch.bump, by) {
        let said = format!("{tag} was taken back: {} ({}) put {deployed} in its place", short(&by.id), by.subject);
        let hop = Hop::new(NAME, HopState::Failed, "taken back").at(Some(by.at)).because([said.clone()]);
        return Look::ends(Some(hop), End::new(State::Failed, said));
    }
    if let Some(by) = &branch.taken_back_by {
        let said = format!("{tag} is superseded: {} ({}) took its change back", short(&by.id), by.subject);
        return Look::ends(None, End::new(State::Superseded, said).by(by));
    }
    Look::at(waiting::hop(facts, NAME, waiting::is_built(facts, branch))).with(waiting::meanwhile(facts))
}
