//! Which revision was seen healthy: decided from evidence alone, and not at all where there is none.
//!
//! Seen healthy is a revision of which one of two things is known:
//!
//! 1. Pods of it are available now. While a rollout fails, the pods before it serve on (`maxUnavailable: 0`), so this is
//!    the usual case, and the surest one.
//! 2. Argo CD has said Healthy after it had synced this revision and before it synced one with another tag. It says so
//!    in an event on the Application, which the cluster keeps for about an hour. What was synced when is known from the
//!    same events and from the ten syncs that Argo CD remembers, and where both are silent from the ReplicaSets: each
//!    image that the Deployment has had, since when.
//!
//! That a revision was deployed once, or for long, or before the bad one, is no evidence: it may have been just as bad.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::coordinates::NEVER_BUILT;

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

/// One ReplicaSet, with its available pods.
#[derive(Clone, Debug)]
pub struct Serving {
    pub image: String,
    pub available: i32,
    pub created: Option<Timestamp>,
    /// Of the Deployment's changes, the one that took this state up last.
    pub number: Option<u64>,
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
        let at = self.healthy.iter().filter(|at| self.is_live_at(image, revision, **at)).max()?;
        Some(Seen::Argo { at: *at })
    }

    /// Whether it was synced last before that moment. In the second of a sync Argo CD may still speak of the revision
    /// before it, so that second counts for nobody.
    fn is_live_at(&self, image: &str, revision: &str, moment: Timestamp) -> bool {
        let is_before = |at: Timestamp| at.as_second() < moment.as_second();
        match self.synced.iter().filter(|sync| sync.at <= moment).max_by_key(|sync| sync.at) {
            Some(newest) => is_before(newest.at) && newest.revision == revision,
            None => self
                .set_at(moment)
                .is_some_and(|(set, created)| is_before(created) && set.image == format!("{image}:sha-{revision}")),
        }
    }

    /// The ReplicaSet of that moment. An older one that was taken up again since hides when that was.
    fn set_at(&self, moment: Timestamp) -> Option<(&Serving, Timestamp)> {
        let created = self.serving.iter().filter_map(|set| Some((set, set.created?)));
        let until: Vec<_> = created.filter(|(_, created)| *created <= moment).collect();
        let (newest, at) = until.iter().max_by_key(|(_, created)| *created)?;
        let is_last = until.iter().all(|(set, _)| set.number <= newest.number) && newest.number.is_some();
        is_last.then_some((*newest, *at))
    }

    /// Each revision before `bad` that was seen healthy and that no hold has called bad, the newest first.
    pub fn healthy_before(&self, image: &str, bad: &str) -> Vec<(String, Seen)> {
        let candidates = self.candidates(image, bad).into_iter();
        candidates.filter_map(|named| Some((named.revision.clone(), self.of(image, &named.revision)?))).collect()
    }

    /// Each revision once, the newest first.
    pub fn candidates(&self, image: &str, bad: &str) -> Vec<&Named> {
        let called_bad = |revision: &str| self.named.iter().any(|named| named.held.as_deref() == Some(revision));
        let mut candidates: Vec<&Named> = Vec::new();
        for named in self.named.iter().filter(|named| named.image == image) {
            let again = candidates.iter().any(|earlier| earlier.revision == named.revision);
            let never_built = named.revision == NEVER_BUILT;
            if !again && !never_built && named.revision != bad && !called_bad(&named.revision) {
                candidates.push(named);
            }
        }
        candidates
    }

    /// Why none was chosen, and how a person chooses among those whose image is not gone.
    pub fn none(&self, image: &str, bad: &str, gone: &BTreeSet<String>) -> String {
        let mut lines =
            vec![format!("no revision before sha-{bad} was seen healthy by this cluster, and none is guessed")];
        lines.extend(self.unseen.iter().map(|sentence| format!("not seen: {sentence}")));
        lines.push(self.choice(image, bad, gone));
        lines.join("\n")
    }

    pub fn choice(&self, image: &str, bad: &str, gone: &BTreeSet<String>) -> String {
        let all = self.candidates(image, bad);
        let is_empty = all.is_empty();
        let line = |named: &Named| format!("  --to {}  since {}", named.revision, clock(named.since));
        let left = all.into_iter().filter(|named| !gone.contains(&named.revision));
        let left: Vec<String> = left.take(5).map(line).collect();
        if is_empty {
            "k8s/deployment.yaml never named another one of this image".to_owned()
        } else if left.is_empty() {
            "the registry has the image of none that k8s/deployment.yaml named before".to_owned()
        } else {
            let how = "choose one that you know to be good with --to; the manifest named before:";
            format!("{how}\n{}", left.join("\n"))
        }
    }
}

#[cfg(test)]
#[path = "healthy_tests.rs"]
mod tests;
