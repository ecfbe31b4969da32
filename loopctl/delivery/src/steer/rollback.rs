//! A rollback: the plan, what the commit says, and its push on top of exactly the state that it was planned for.

use std::collections::BTreeSet;

use anyhow::{Error, Result, anyhow, bail};
use futures_util::future::join_all;
use serde::Serialize;

use super::branch::{Branch, Broken};
use super::diff;
use super::healthy::{Evidence, Seen};
use crate::access::MayNotPush;
use crate::coordinates::{Files, short};
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
    /// Newer ones that were seen healthy as well, and whose image is gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// Why the manifest of an older commit is put back whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// The hold that stood when this was planned.
    #[serde(skip)]
    pub held: Option<String>,
    /// The annotation that is to hold.
    #[serde(skip)]
    pub hold: String,
    /// Of the service that is rolled back.
    #[serde(skip)]
    pub files: Files,
}

/// So many are asked for at once, to show those that a pod could start with.
const ASKED: usize = 20;

/// What became of the push.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The commit.
    Done(String),
    /// Somebody else has changed the tag meanwhile: it names this revision now.
    MovedOn(String),
    /// Another rollback was faster: the hold names the same revision.
    AlreadyHeld,
    /// Somebody has set a hold because of another revision, which is theirs to lift.
    HeldByOther(String),
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
        let choices = match to {
            Some(to) => vec![named(delivery, branch, evidence, to).await?],
            None => seen_healthy(delivery, branch, evidence).await?,
        };
        let mut passed_over = Vec::new();
        for (good, seen_healthy) in choices {
            let tag = format!("sha-{good}");
            let digest = match delivery.digest(&branch.image, &tag).await {
                Ok(Some(digest)) => Some(digest),
                Ok(None) => {
                    passed_over.push(good);
                    continue;
                }
                Err(_) if unchecked => None,
                Err(error) => {
                    return Err(error.context(format!(
                        "whether the registry still has {}:{tag} could not be asked; --image-unchecked goes on without",
                        branch.image
                    )));
                }
            };
            return Ok(Self {
                bad: branch.revision.clone(),
                good,
                image: branch.image.clone(),
                seen_healthy,
                digest,
                reason: reason.trim().to_owned(),
                passed_over,
                broken: branch.broken.clone(),
                held: branch.hold.clone(),
                hold: delivery.names.hold.clone(),
                files: delivery.names.files.clone(),
            });
        }
        let gone: Vec<String> = passed_over.iter().map(|good| format!("{}:sha-{good}", branch.image)).collect();
        let none = format!("the registry has no {} any more, so no pod could start with it", gone.join(", "));
        if to.is_some() || evidence.candidates(&branch.image, &branch.revision).len() == passed_over.len() {
            bail!("{none}");
        }
        bail!(
            "{none}\n{}",
            evidence.choice(&branch.image, &branch.revision, &gone_from(delivery, branch, evidence).await)
        )
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
        let mut lines = vec![format!("bad       sha-{}, which {} names now", self.bad, branch.file)];
        if let Some(Broken { why, before, .. }) = &self.broken {
            lines = vec![
                format!("bad       {} of the newest commit: {why}", branch.file),
                format!("instead   that of {}, which named sha-{}", short(before), self.bad),
            ];
        }
        let passed = self.passed_over.iter();
        lines.extend(
            passed.map(|good| {
                format!("not       sha-{good}: it was seen healthy, and the registry has its image no more")
            }),
        );
        lines.push(format!("good      sha-{}: {seen}", self.good));
        lines.push(format!("registry  {registry}"));
        let before = branch.broken.as_ref().map_or(&branch.text, |broken| &broken.text);
        Ok(format!("{}\n\n{}", lines.join("\n"), diff(&branch.file, before, &self.edited(branch)?)))
    }

    /// What the manifest is afterwards. Where only the file was bad, its last tag comes back without a hold.
    fn edited(&self, branch: &Branch) -> Result<String> {
        if self.good == self.bad {
            Ok(branch.text.clone())
        } else {
            edit::roll_back(&branch.file, &branch.text, &self.good, &self.bad, &self.hold)
        }
    }

    /// On top of the newest commit of the branch, as long as that still names the bad revision and holds nothing.
    pub fn push(&self, delivery: &Delivery) -> Result<Pushed> {
        let mut instead = None;
        let commit = delivery.git.change(&delivery.remote, &delivery.names.branch, |tip| {
            let branch = delivery.branch_before(tip.to_owned())?;
            if branch.broken != self.broken {
                bail!("{} was changed meanwhile, so that another plan is needed: run it again", branch.file);
            }
            instead = self.overtaken(&branch);
            if instead.is_some() {
                return Ok(None);
            }
            let text = self.edited(&branch)?;
            Ok(Some(Change { files: vec![(branch.file, text)], message: self.message() }))
        })?;
        Ok(match (commit, instead) {
            (Some(commit), _) => Pushed::Done(commit),
            (None, Some(instead)) => instead,
            (None, None) => Pushed::AlreadyHeld,
        })
    }

    fn overtaken(&self, branch: &Branch) -> Option<Pushed> {
        match &branch.hold {
            Some(hold) if *hold == self.bad && branch.revision != self.bad => return Some(Pushed::AlreadyHeld),
            Some(hold) if self.held.as_ref() != Some(hold) => return Some(Pushed::HeldByOther(hold.clone())),
            _ => {}
        }
        (branch.revision != self.bad).then(|| Pushed::MovedOn(branch.revision.clone()))
    }

    pub fn message(&self) -> String {
        let seen = match &self.seen_healthy {
            Some(seen) => format!("was seen healthy: {seen}"),
            None => "is a person's choice".to_owned(),
        };
        let restored = self.broken.as_ref().map(|Broken { why, before, .. }| {
            let file = self.files.deployment();
            format!("{file} is that of {} again, as the newest one cannot be read:\n{why}", short(before))
        });
        if let (Some(restored), true) = (&restored, self.good == self.bad) {
            return format!(
                "Put the manifest of sha-{} back\n\n{}\n\n{restored}\n\
                 No input of the image changes here, so no run is needed: {NO_RUN}\n\nGood-Revision: {}\n",
                self.good, self.reason, self.good,
            );
        }
        let restored = restored.map(|restored| format!("{restored}\n\n")).unwrap_or_default();
        format!(
            "Roll back to sha-{good}\n\n{reason}\n\n{restored}sha-{bad} is bad; sha-{good} {seen}.\n\
             The hold stops every bump until `{resume}` lifts it.\n\
             No input of the image changes here, so no run is needed: {NO_RUN}\n\n\
             Bad-Revision: {bad}\nGood-Revision: {good}\n",
            good = self.good,
            bad = self.bad,
            reason = self.reason,
            resume = self.files.said("loopctl resume"),
        )
    }

    /// What somebody with the right to push has to type. It does nothing once the tag has moved on.
    pub fn command(&self) -> String {
        let options = format!("--bad {} --to {} --reason {}", self.bad, self.good, quoted(&self.reason));
        format!("{} {options}", self.files.said("cargo loopctl rollback"))
    }
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\n', " ").replace('\'', r"'\''"))
}

type Choice = (String, Option<Seen>);

/// All that may be gone back to without asking anybody, the newest first.
async fn seen_healthy(delivery: &Delivery, branch: &Branch, evidence: &Evidence) -> Result<Vec<Choice>> {
    if let Some(Broken { why, before, .. }) = &branch.broken {
        bail!(
            "{} of the newest commit cannot be read: {why}\n--to {} puts that of {} back whole, with its tag; \
             `git revert` of the commit that broke it does so too",
            branch.file,
            branch.revision,
            short(before)
        );
    }
    let found = evidence.healthy_before(&branch.image, &branch.revision);
    if found.is_empty() {
        return Err(none(delivery, branch, evidence, "").await);
    }
    Ok(found.into_iter().map(|(good, seen)| (good, Some(seen))).collect())
}

/// What a person has named.
async fn named(delivery: &Delivery, branch: &Branch, evidence: &Evidence, to: &str) -> Result<Choice> {
    let wanted = to.trim_start_matches("sha-");
    let is_one = (7..=40).contains(&wanted.len()) && wanted.chars().all(|digit| digit.is_ascii_hexdigit());
    if !is_one {
        bail!("{to} is no revision: say the seven digits of a tag, or a whole commit");
    }
    let good = wanted[..7].to_lowercase();
    if good == branch.revision && branch.broken.is_none() {
        bail!("sha-{good} is what {} names already", branch.file);
    }
    if !evidence.named.iter().any(|named| named.image == branch.image && named.revision == good) {
        let never = format!("{} never named sha-{good}, so it was never deployed; ", branch.file);
        return Err(none(delivery, branch, evidence, &never).await);
    }
    Ok((good.clone(), evidence.of(&branch.image, &good)))
}

async fn none(delivery: &Delivery, branch: &Branch, evidence: &Evidence, why: &str) -> Error {
    if evidence.named.is_empty() {
        return anyhow!("{} has no history on this branch", branch.file);
    }
    let gone = gone_from(delivery, branch, evidence).await;
    anyhow!("{why}{}", evidence.none(&branch.image, &branch.revision, &gone))
}

/// Those of the candidates whose image the registry says not to have. One that cannot be asked says nothing.
async fn gone_from(delivery: &Delivery, branch: &Branch, evidence: &Evidence) -> BTreeSet<String> {
    let candidates = evidence.candidates(&branch.image, &branch.revision).into_iter().take(ASKED);
    let asked = candidates.map(|named| async move {
        let digest = delivery.digest(&branch.image, &format!("sha-{}", named.revision)).await;
        matches!(digest, Ok(None)).then(|| named.revision.clone())
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Whether an error means that the push itself was refused, so that somebody else has to do it.
pub fn may_not_push(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<MayNotPush>())
}

#[cfg(test)]
#[path = "rollback_tests.rs"]
mod tests;
