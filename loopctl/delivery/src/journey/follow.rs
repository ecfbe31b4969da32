//! Follows a commit until its journey has ended.

use std::time::Duration;

use anyhow::Result;

use super::answer::{Answer, State};
use super::decide::decide;
use crate::git::history::Commit;
use crate::handle::Delivery;
use crate::watcher::{Look, Watched, Watcher};

/// Why nobody looks any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The commit's state is one that does not change by itself.
    Journey,
    /// Too little could be seen from the beginning.
    Unseen,
    Time,
}

impl Delivery {
    pub async fn where_is(&self, commit: &Commit) -> Answer {
        decide(&self.collect(commit).await)
    }

    /// To the end of its journey or to the deadline; `show` gets each answer. No answer where no look was ever complete.
    pub async fn follow(
        &self,
        commit: &Commit,
        deadline: Option<Duration>,
        mut show: impl FnMut(&Answer) -> Result<()>,
    ) -> Result<(Option<Answer>, End)> {
        let (mut is_first, mut shown) = (true, Ok(()));
        let watched = Watcher::new(deadline)
            .watch(async || {
                let answer = self.where_is(commit).await;
                shown = show(&answer);
                // What was seen once may be gone for a moment; what was never seen will not appear by waiting.
                let is_blind = std::mem::take(&mut is_first) && answer.state == State::Unknown;
                if answer.state.is_end() || is_blind || shown.is_err() { Look::End(answer) } else { Look::Yet(answer) }
            })
            .await;
        shown?;
        Ok(match watched {
            Watched::End(answer) if answer.state == State::Unknown => (Some(answer), End::Unseen),
            Watched::End(answer) => (Some(answer), End::Journey),
            Watched::Time(answer) => (answer, End::Time),
        })
    }
}
