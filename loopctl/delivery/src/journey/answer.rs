//! Where a commit is, as an answer; docs/loopctl.md documents its JSON.

use jiff::Timestamp;
use serde::Serialize;

use crate::coordinates::Files;
use crate::git::history::Commit;

#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Answer {
    /// Of several that one repository has.
    pub service: String,
    pub commit: String,
    pub subject: String,
    /// The merge that brought it into the branch, if it did not come by itself.
    pub merged_by: Option<String>,
    pub state: State,
    /// One sentence.
    pub summary: String,
    pub superseded_by: Option<By>,
    /// In the order of the journey; always all of them.
    pub hops: Vec<Hop>,
}

#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All pods run it.
    Live,
    /// On its way, and nothing is in its way.
    Moving,
    /// Something is in its way that may pass or be mended.
    Stuck,
    /// It will not become live by itself.
    Failed,
    /// A newer commit is delivered in its place.
    Superseded,
    Held,
    NotPushed,
    /// Too little could be seen.
    Unknown,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Moving => "moving",
            Self::Stuck => "stuck",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Held => "held",
            Self::NotPushed => "not pushed",
            Self::Unknown => "unknown",
        }
    }

    /// It will not change by itself any more.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Live | Self::Failed | Self::Superseded | Self::Held)
    }
}

/// A journey that is over before the commit gets to the cluster.
#[derive(Clone, Debug)]
pub struct End {
    pub state: State,
    pub summary: String,
    pub by: Option<By>,
}

impl End {
    pub fn new(state: State, summary: String) -> Self {
        Self { state, summary, by: None }
    }

    pub fn by(self, commit: &Commit) -> Self {
        Self { by: Some(commit.into()), ..self }
    }
}

#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub commit: String,
    pub subject: String,
}

impl From<&Commit> for By {
    fn from(commit: &Commit) -> Self {
        Self { commit: commit.id.clone(), subject: commit.subject.clone() }
    }
}

#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Hop {
    pub hop: &'static str,
    pub state: HopState,
    pub at: Option<Timestamp>,
    /// Since the hop before it whose time is known.
    pub seconds: Option<i64>,
    pub detail: String,
    /// The real reason of a hop that is stuck or failed, or why one could not be seen.
    pub reason: Vec<String>,
}

#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum HopState {
    Done,
    /// Not needed for this commit.
    Skipped,
    /// Its turn has not come.
    Waiting,
    Moving,
    Stuck,
    Failed,
    Unseen,
}

impl HopState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Waiting => "waiting",
            Self::Moving => "moving",
            Self::Stuck => "stuck",
            Self::Failed => "failed",
            Self::Unseen => "unseen",
        }
    }
}

impl Hop {
    pub fn is_done(&self) -> bool {
        self.state == HopState::Done
    }

    /// In a line: the hop, and the first that is said of it.
    pub fn said(&self) -> String {
        let said = [self.detail.as_str(), self.reason.first().map_or("", String::as_str)];
        let said: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}: {}", self.hop, said.join(": "))
    }

    pub fn new(hop: &'static str, state: HopState, detail: impl Into<String>) -> Self {
        Self { hop, state, at: None, seconds: None, detail: detail.into(), reason: Vec::new() }
    }

    pub fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }

    /// With the names of that service.
    pub fn of_service(self, files: &Files) -> Self {
        let reason = self.reason.iter().map(|reason| files.said(reason)).collect();
        Self { detail: files.said(&self.detail), reason, ..self }
    }

    pub fn because(mut self, reason: impl IntoIterator<Item = String>) -> Self {
        self.reason.extend(reason);
        self
    }
}
