//! Follows a commit until its journey has ended.

use std::time::{Duration, Instant};

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
        let (mut patience, mut shown) = (Patience::default(), Ok(()));
        let watched = Watcher::new(deadline)
            .watch(async || {
                let answer = self.where_is(commit).await;
                shown = show(&answer);
                let is_blind = patience.is_over(Instant::now(), answer.state);
                if answer.state.is_end() || is_blind || shown.is_err() { Look::End(answer) } else { Look::Yet(answer) }
            })
            .await;
        shown?;
        Ok(match watched {
            Watched::End(answer) if answer.state == State::Unknown => (Some(answer), End::Unseen),
            Watched::End(answer) => (Some(answer), End::Journey),
            // Nobody knows whether it is live: that is another answer than that it is not.
            Watched::Time(Some(answer)) if answer.state == State::Unknown => (Some(answer), End::Unseen),
            Watched::Time(answer) => (answer, End::Time),
        })
    }
}

/// What was never seen will not appear by waiting, and what was seen once may be gone for a moment.
#[derive(Default)]
struct Patience {
    has_seen: bool,
    blind_since: Option<Instant>,
}

impl Patience {
    /// An API server or a network comes back within that time, or not by itself.
    const GONE: Duration = Duration::from_secs(60);

    fn is_over(&mut self, now: Instant, state: State) -> bool {
        if state != State::Unknown {
            *self = Self { has_seen: true, blind_since: None };
            return false;
        }
        let since = *self.blind_since.get_or_insert(now);
        !self.has_seen || now.duration_since(since) >= Self::GONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_nothing_waits_only_where_something_was_seen_before() {
        let check = |looks: &[(u64, State)], expected: bool| {
            let (mut patience, begin) = (Patience::default(), Instant::now());
            let last =
                looks.iter().map(|(at, state)| patience.is_over(begin + Duration::from_secs(*at), *state)).last();
            assert_eq!(last, Some(expected), "{looks:?}");
        };
        check(&[(0, State::Unknown)], true);
        check(&[(0, State::Moving), (1, State::Unknown)], false);
        check(&[(0, State::Moving), (1, State::Unknown), (60, State::Unknown)], false);
        check(&[(0, State::Moving), (1, State::Unknown), (61, State::Unknown)], true);
        check(&[(0, State::Moving), (1, State::Unknown), (30, State::Stuck), (61, State::Unknown)], false);
    }
}
