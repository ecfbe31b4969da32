//! Whether the registry has the image that the commit needs.

use jiff::Timestamp;

use super::Look;
use crate::coordinates::tag_of;
use crate::journey::answer::{Hop, HopState};
use crate::journey::facts::{Build, Facts};
use crate::journey::waiting;

pub const NAME: &str = "image";

pub fn look(facts: &Facts) -> Look {
    let is_to_be = match &facts.branch {
        Ok(branch) => branch.build != Build::Needed || waiting::is_built(facts, branch),
        Err(_) => true,
    };
    // Pods that run it already can do without the registry's: whatever is said here, the journey goes on.
    if is_to_be { Look { goes_on: true, ..Look::at(hop(facts)) } } else { Look::nothing() }
}

/// The run says when its build was through. Of an image that is of another commit's run nothing is said.
fn published(facts: &Facts) -> Option<Timestamp> {
    let is_own = facts.branch.as_ref().is_ok_and(|branch| branch.build == Build::Needed);
    facts.run.as_ref().ok()?.as_ref()?.built.filter(|_| is_own)
}

pub fn hop(facts: &Facts) -> Hop {
    let tag = match facts.branch.as_ref().map(|branch| &branch.build) {
        Ok(Build::NotNeeded(tag)) => tag.clone(),
        _ => tag_of(&facts.built_as().id),
    };
    match &facts.digest {
        Ok(Some(digest)) => Hop::new(NAME, HopState::Done, format!("{tag} is {digest}")).at(published(facts)),
        // Without git nobody knows whether the commit needs one of its own.
        Ok(None) if facts.branch.is_err() => {
            let why = format!("the registry has no {}, which the commit may not need", facts.names.image_of(&tag));
            Hop::new(NAME, HopState::Unseen, why)
        }
        Ok(None) => {
            let why = format!("the registry has no {}", facts.names.image_of(&tag));
            Hop::new(NAME, HopState::Stuck, why)
        }
        Err(reason) => Hop::new(NAME, HopState::Unseen, tag).because([reason.clone()]),
    }
}
