//! Which revision was seen healthy: decided from evidence alone, and not at all where there is none.
//!
//! Seen healthy is a revision of which one of two things is known:
//!
//! 1. Pods of it are available now. While a rollout fails, the pods before it serve on (`maxUnavailable: 0`), so this is
//!    the usual case, and the surest one.
//! 2. Argo CD has said Healthy after it had synced this revision and before it synced one with another tag. It says so
//!    in an event on the Application, which the cluster keeps for about an hour.
//!
//! That a revision was deployed once, or for long, or before the bad one, is no evidence: it may have been just as bad.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// What the history of k8s/deployment.yaml says: which revision it named since which commit.
#[derive(Clone, Debug)]
pub struct Named {
    pub image: String,
    pub revision: String,
    pub since: Timestamp,
    /// The revision that a hold in that commit calls bad.
    pub held: Option<String>,
}

/// A sync that went through, and the revision that the manifest named in its commit.
#[derive(Clone, Debug)]
pub struct Synced {
    pub revision: String,
    pub at: Timestamp,
}

/// The available pods of one ReplicaSet.
#[derive(Clone, Debug)]
pub struct Serving {
    pub image: String,
    pub available: i32,
}

#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The newest first.
    pub named: Vec<Named>,
    pub synced: Vec<Synced>,
    /// When Argo CD has said Healthy.
    pub healthy: Vec<Timestamp>,
    pub serving: Vec<Serving>,
    /// What could not be read, in a sentence each.
    pub unseen: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "by")]
pub enum Seen {
    Pods { available: i32 },
    Argo { at: Timestamp },
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods { available: 1 } => write!(formatter, "a pod of it is available now"),
            Self::Pods { available } => write!(formatter, "{available} pods of it are available now"),
            Self::Argo { at } => write!(formatter, "Argo CD said Healthy of it at {}", clock(*at)),
        }
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Evidence {
    /// How this revision of the image was seen healthy.
    pub fn of(&self, image: &str, revision: &str) -> Option<Seen> {
        let tagged = format!("{image}:sha-{revision}");
        let available: i32 = self.serving.iter().filter(|set| set.image == tagged).map(|set| set.available).sum();
        if available > 0 {
            return Some(Seen::Pods { available });
        }
        let at = self.healthy.iter().filter(|at| self.live_at(**at) == Some(revision)).max()?;
        Some(Seen::Argo { at: *at })
    }

    /// The revision that was synced last before that moment. In the second of a sync Argo CD may still speak of the
    /// revision before it, so that second counts for nobody.
    fn live_at(&self, moment: Timestamp) -> Option<&str> {
        let newest = self.synced.iter().filter(|sync| sync.at <= moment).max_by_key(|sync| sync.at)?;
        let second = |at: Timestamp| at.as_second();
        (second(newest.at) < second(moment)).then_some(newest.revision.as_str())
    }

    /// The newest revision before `bad` that was seen healthy and that no hold has called bad.
    pub fn last_healthy(&self, image: &str, bad: &str) -> Option<(String, Seen)> {
        let candidates = self.candidates(image, bad);
        candidates.into_iter().find_map(|named| Some((named.revision.clone(), self.of(image, &named.revision)?)))
    }

    /// Each revision once, the newest first.
    fn candidates(&self, image: &str, bad: &str) -> Vec<&Named> {
        let called_bad = |revision: &str| self.named.iter().any(|named| named.held.as_deref() == Some(revision));
        let mut candidates: Vec<&Named> = Vec::new();
        for named in self.named.iter().filter(|named| named.image == image) {
            let again = candidates.iter().any(|earlier| earlier.revision == named.revision);
            let never_built = named.revision == "0000000";
            if !again && !never_built && named.revision != bad && !called_bad(&named.revision) {
                candidates.push(named);
            }
        }
        candidates
    }

    /// Why none was chosen, and how a person chooses.
    pub fn none(&self, image: &str, bad: &str) -> String {
        let mut lines =
            vec![format!("no revision before sha-{bad} was seen healthy by this cluster, and none is guessed")];
        lines.extend(self.unseen.iter().map(|sentence| format!("not seen: {sentence}")));
        let candidates = self.candidates(image, bad);
        if candidates.is_empty() {
            lines.push("k8s/deployment.yaml never named another one of this image".to_owned());
        } else {
            lines.push("choose one that you know to be good with --to; the manifest named before:".to_owned());
            let line = |named: &&Named| format!("  --to {}  since {}", named.revision, clock(named.since));
            lines.extend(candidates.iter().take(5).map(line));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
#[path = "healthy_tests.rs"]
mod tests;
