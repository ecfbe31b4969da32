//! Whether the branch has the commit.

use super::Look;
use crate::coordinates::short;
use crate::journey::answer::{End, Hop, HopState, State};
use crate::journey::facts::Facts;

pub const NAME: &str = "pushed";

pub fn look(facts: &Facts) -> Look {
    let branch = match &facts.branch {
        Ok(branch) => branch,
        Err(reason) => return Look::at(Hop::new(NAME, HopState::Unseen, "").because([reason.clone()])),
    };
    let commit = short(&facts.commit.id);
    if let Some(source) = &branch.source {
        let by_itself = source.id == facts.commit.id;
        let how = if by_itself { String::new() } else { format!("by the merge {}", short(&source.id)) };
        return Look::at(Hop::new(NAME, HopState::Done, how).at(Some(source.at)));
    }
    if let Some(other) = &branch.taken_over_as {
        let said = format!("its change is in {} as {} ({})", branch.name, short(&other.id), other.subject);
        let hop = Hop::new(NAME, HopState::Skipped, said.clone());
        let summary = format!("{commit}: {said}: ask about that one");
        return Look::ends(Some(hop), End::new(State::Superseded, summary).by(other));
    }
    let hop = Hop::new(NAME, HopState::Waiting, format!("{} has not got it", branch.name));
    Look::ends(Some(hop), End::new(State::NotPushed, format!("{commit} is not in {}: push it", branch.name)))
}
