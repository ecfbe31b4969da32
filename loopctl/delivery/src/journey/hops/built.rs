//! Whether the workflow has built the commit, or need not.

use super::{Look, image};
use crate::journey::answer::{Hop, HopState};
use crate::journey::facts::{Build, Facts};
use crate::journey::waiting;

pub const NAME: &str = "built";

pub fn look(facts: &Facts) -> Look {
    let Ok(branch) = &facts.branch else { return Look::nothing() };
    if let Build::NotNeeded(tag) = &branch.build {
        let why = format!("no build needed: no input of the image changed since {tag}");
        return Look::at(Hop::new(NAME, HopState::Skipped, why));
    }
    if waiting::is_built(facts, branch) {
        // A build that sets the times of its files may set this one as well.
        let pushed = branch.source.as_ref().map(|source| source.at);
        let created = facts.created.filter(|created| pushed.is_some_and(|pushed| *created >= pushed));
        return Look::at(Hop::new(NAME, HopState::Done, "").at(created));
    }
    if !waiting::is_for_the_workflow(branch) {
        return Look::nothing();
    }
    // That the registry could not be asked may be all that is in the way.
    let unseen = facts.digest.is_err().then(|| image::hop(facts));
    Look::at(waiting::hop(facts, NAME, false)).with(unseen).with(waiting::meanwhile(facts))
}
