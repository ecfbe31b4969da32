//! Looks again and again until a commit's journey has ended.

use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Answer, HopState, Name, State};
use super::collect::Scene;
use super::decide::decide;
use super::text;
use crate::exit::Exit;
use crate::git::history::Commit;

const PAUSE: Duration = Duration::from_secs(1);
/// One look is over within this time, whatever does not answer.
const LOOK: Duration = Duration::from_secs(30);

impl Scene {
    pub async fn where_is(&self, commit: &Commit) -> Answer {
        decide(&self.collect(commit).await)
    }

    /// Follows the commit to its end or to the deadline; `show` gets each answer.
    pub async fn follow(
        &self,
        commit: &Commit,
        deadline: Option<Duration>,
        mut show: impl FnMut(&Answer) -> Result<()>,
    ) -> Result<(Answer, Exit)> {
        let begin = Instant::now();
        let mut is_first = true;
        loop {
            let answer = self.where_is(commit).await;
            show(&answer)?;
            if let Some(exit) = answer.state.end() {
                return Ok((answer, exit));
            }
            // What was seen once may be gone for a moment; what was never seen will not appear by waiting.
            if is_first && answer.state == State::Unknown {
                return Ok((answer, Exit::NoAccess));
            }
            is_first = false;
            if deadline.is_some_and(|deadline| begin.elapsed() + PAUSE > deadline) {
                return Ok((answer, Exit::TimedOut));
            }
            sleep(PAUSE).await;
        }
    }

    /// As `where_is`, but it ends.
    pub async fn where_is_in_time(&self, commit: &Commit) -> Result<Answer> {
        match timeout(LOOK, self.where_is(commit)).await {
            Ok(answer) => Ok(answer),
            Err(_) => anyhow::bail!("no complete answer within {} s; is the cluster overloaded?", LOOK.as_secs()),
        }
    }
}

/// Lines for a log: each hop once in each state that it was seen in.
#[derive(Default)]
pub struct Changes {
    seen: Vec<(Name, HopState, String)>,
}

impl Changes {
    pub fn lines(&mut self, answer: &Answer) -> Vec<String> {
        let mut lines = Vec::new();
        for hop in &answer.hops {
            let now = (hop.hop, hop.state, format!("{}{}", hop.detail, hop.reason.first().map_or("", String::as_str)));
            if matches!(hop.state, HopState::Waiting | HopState::Skipped) || self.seen.contains(&now) {
                continue;
            }
            self.seen.retain(|(name, _, _)| *name != hop.hop);
            self.seen.push(now);
            lines.push(text::line(hop, &TimeZone::system()));
            lines.extend(hop.reason.iter().flat_map(|reason| reason.lines()).map(|line| format!("{:23}{line}", "")));
        }
        lines
    }
}
