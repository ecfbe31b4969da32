//! A rollback: the plan, what the commit says, and its push on top of exactly the state that it was planned for.

use anyhow::{Result, bail};
use serde::Serialize;

use super::branch::Branch;
use super::diff;
use super::healthy::{Evidence, Seen};
use crate::access::MayNotPush;
use crate::coordinates::DEPLOYMENT;
use crate::git::change::Change;
use crate::handle::Delivery;
use crate::manifest::edit;

/// Keeps the workflow from building an image of a commit that changes none of its inputs, in the middle of a repair.
const NO_RUN: &str = "[skip ci]";

#[derive(Clone, Debug, Serialize)]
pub struct Rollback {
    pub bad: String,
    pub good: String,
    pub image: String,
    /// None when a person chose the revision and the cluster knows nothing about it.
    pub seen_healthy: Option<Seen>,
    /// Of the good image in the registry; None when the registry could not be asked and that was said to be fine.
    pub digest: Option<String>,
    pub reason: String,
}

/// What became of the push.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The commit.
    Done(String),
    /// Somebody else has changed the tag meanwhile: it names this revision now.
    MovedOn(String),
    /// Another rollback was faster: the hold names the same revision.
    AlreadyHeld,
}

impl Rollback {
    /// Errors say why there is no way back.
    pub async fn plan(
        delivery: &Delivery,
        branch: &Branch,
        evidence: &Evidence,
        to: Option<&str>,
        reason: &str,
        unchecked: bool,
    ) -> Result<Self> {
        let (good, seen_healthy) = choose(branch, evidence, to)?;
        let tag = format!("sha-{good}");
        let digest = match delivery.digest(&branch.image, &tag).await {
            Ok(Some(digest)) => Some(digest),
            Ok(None) => bail!("the registry has no {}:{tag} any more, so no pod could start with it", branch.image),
            Err(_) if unchecked => None,
            Err(error) => {
                return Err(error.context(format!(
                    "whether the registry still has {}:{tag} could not be asked; --image-unchecked goes on without",
                    branch.image
                )));
            }
        };
        let reason = reason.trim().to_owned();
        Ok(Self { bad: branch.revision.clone(), good, image: branch.image.clone(), seen_healthy, digest, reason })
    }

    pub fn describe(&self, branch: &Branch) -> Result<String> {
        let seen = match &self.seen_healthy {
            Some(seen) => seen.to_string(),
            None => "this cluster has not seen it healthy; it is your choice".to_owned(),
        };
        let registry = match &self.digest {
            Some(digest) => format!("has it, as {digest}"),
            None => "was not asked".to_owned(),
        };
        let after = edit::roll_back(&branch.text, &self.good, &self.bad)?;
        Ok(format!(
            "bad       sha-{}, which {DEPLOYMENT} names now\ngood      sha-{}: {seen}\nregistry  {registry}\n\n{}",
            self.bad,
            self.good,
            diff(&branch.text, &after)
        ))
    }

    /// On top of the newest commit of the branch, as long as that still names the bad revision and holds nothing.
    pub fn push(&self, delivery: &Delivery) -> Result<Pushed> {
        let mut instead = None;
        let commit = delivery.git.change(&delivery.remote, &delivery.names.branch, |tip| {
            let branch = delivery.branch_at(tip.to_owned())?;
            instead = self.overtaken(&branch);
            if instead.is_some() {
                return Ok(None);
            }
            let text = edit::roll_back(&branch.text, &self.good, &self.bad)?;
            Ok(Some(Change { files: vec![(DEPLOYMENT.to_owned(), text)], message: self.message() }))
        })?;
        Ok(match (commit, instead) {
            (Some(commit), _) => Pushed::Done(commit),
            (None, Some(instead)) => instead,
            (None, None) => Pushed::AlreadyHeld,
        })
    }

    fn overtaken(&self, branch: &Branch) -> Option<Pushed> {
        if branch.hold.as_deref() == Some(self.bad.as_str()) && branch.revision != self.bad {
            return Some(Pushed::AlreadyHeld);
        }
        (branch.revision != self.bad).then(|| Pushed::MovedOn(branch.revision.clone()))
    }

    pub fn message(&self) -> String {
        let seen = match &self.seen_healthy {
            Some(seen) => format!("was seen healthy: {seen}"),
            None => "is a person's choice".to_owned(),
        };
        format!(
            "Roll back to sha-{good}\n\n{reason}\n\nsha-{bad} is bad; sha-{good} {seen}.\n\
             The hold stops every bump until `loopctl resume` lifts it.\n\
             No input of the image changes here, so no run is needed: {NO_RUN}\n\n\
             Bad-Revision: {bad}\nGood-Revision: {good}\n",
            good = self.good,
            bad = self.bad,
            reason = self.reason,
        )
    }

    /// What somebody with the right to push has to type. It does nothing once the tag has moved on.
    pub fn command(&self) -> String {
        format!("cargo loopctl rollback --bad {} --to {} --reason {}", self.bad, self.good, quoted(&self.reason))
    }
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\n', " ").replace('\'', r"'\''"))
}

fn choose(branch: &Branch, evidence: &Evidence, to: Option<&str>) -> Result<(String, Option<Seen>)> {
    let Some(to) = to else {
        let found = evidence.last_healthy(&branch.image, &branch.revision);
        return match found {
            Some((good, seen)) => Ok((good, Some(seen))),
            None if evidence.named.is_empty() => bail!("{DEPLOYMENT} has no history on this branch"),
            None => bail!("{}", evidence.none(&branch.image, &branch.revision)),
        };
    };
    let wanted = to.trim_start_matches("sha-");
    let is_one = (7..=40).contains(&wanted.len()) && wanted.chars().all(|digit| digit.is_ascii_hexdigit());
    if !is_one {
        bail!("{to} is no revision: say the seven digits of a tag, or a whole commit");
    }
    let good = wanted[..7].to_lowercase();
    if good == branch.revision {
        bail!("sha-{good} is what {DEPLOYMENT} names already");
    }
    if !evidence.named.iter().any(|named| named.image == branch.image && named.revision == good) {
        bail!(
            "{DEPLOYMENT} never named sha-{good}, so it was never deployed; {}",
            evidence.none(&branch.image, &branch.revision)
        );
    }
    Ok((good.clone(), evidence.of(&branch.image, &good)))
}

/// Whether an error means that the push itself was refused, so that somebody else has to do it.
pub fn may_not_push(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<MayNotPush>())
}

#[cfg(test)]
#[path = "rollback_tests.rs"]
mod tests;
