//! What is known of one service: what the page, the API, the metrics and the messages are made of.

use delivery::Choice;
use delivery::deploys::Deploy;
use delivery::deploys::dora::{Dora, median};
use delivery::journey::answer::{Answer, Hop, HopState, State};
use jiff::Timestamp;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    pub name: String,
    /// The API server that is asked.
    pub cluster: String,
    pub repository: String,
    pub branch: String,
    pub live: Option<Live>,
    pub hold: Option<Hold>,
    /// Whoever could not be asked, and why: what depends on it is unknown and not guessed.
    pub unseen: Vec<Unseen>,
    /// The newest first.
    pub rows: Vec<Row>,
    pub deploys: Vec<Deploy>,
    pub dora: Option<Dora>,
}

/// What somebody is served by now.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub tag: String,
    pub commit: Option<String>,
    pub subject: Option<String>,
    pub since: Option<Timestamp>,
    pub pods: String,
    /// What `/version` says where the service is asked, or why nothing.
    pub answers: Result<String, String>,
    /// Why it is not quite so that everybody is served by it.
    pub but: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    pub bad: String,
    pub reason: String,
    pub since: Timestamp,
    pub command: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    pub who: &'static str,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub answer: Answer,
    pub author: String,
    pub at: Timestamp,
    /// From when until when the branch wanted its image.
    pub wanted: Option<(Timestamp, Option<Timestamp>)>,
    /// What to type for more.
    pub commands: Vec<String>,
    /// Where its change can be read.
    pub diff: Option<String>,
}

impl Service {
    /// Of which nothing is known yet but what the checkout says.
    pub fn unseen(choice: &Choice) -> Self {
        let own = || choice.coordinates().map(|names| names.deployment).unwrap_or_default();
        Self { name: choice.service.clone().unwrap_or_else(own), ..Self::default() }
    }

    /// Whether somebody has looked by now.
    pub fn is_known(&self) -> bool {
        !self.branch.is_empty()
    }

    /// Stuck and failed ones first, the rest by age.
    pub fn urgent_first(&self) -> Vec<&Row> {
        let is_urgent = |row: &&Row| row.is_urgent();
        let (mut urgent, rest): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(is_urgent);
        urgent.extend(rest);
        urgent
    }

    pub fn is_urgent(&self) -> bool {
        self.hold.is_some() || self.rows.iter().any(Row::is_urgent)
    }

    /// How long a hop usually takes, in seconds, by those rows that have passed it.
    pub fn usual(&self, hop: &str) -> Option<i64> {
        let done = |row: &Row| row.answer.hops.iter().find(|each| each.hop == hop).and_then(|each| each.seconds);
        median(self.rows.iter().filter_map(done).collect())
    }
}

impl Row {
    pub fn is_urgent(&self) -> bool {
        matches!(self.answer.state, State::Stuck | State::Failed)
    }

    /// The hop that the commit is at, when it is at one.
    pub fn current(&self) -> Option<&Hop> {
        let is_at = |hop: &&Hop| matches!(hop.state, HopState::Moving | HopState::Stuck | HopState::Failed);
        self.answer.hops.iter().find(is_at)
    }

    /// When the hop before the current one was over.
    pub fn waits_since(&self) -> Option<Timestamp> {
        let current = self.current()?.hop;
        self.answer.hops.iter().take_while(|hop| hop.hop != current).filter_map(|hop| hop.at).max()
    }
}
