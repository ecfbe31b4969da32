//! The branch that Argo CD deploys from, as whoever steers sees it.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use jiff::Timestamp;
use serde::Serialize;

use super::follow::Followed;
use crate::coordinates::Coordinates;
use crate::doctor::facts::Standing;
use crate::git::Git;
use crate::git::history::{Commit, Manifest};
use crate::handle::Delivery;
use crate::manifest::{self, Hold, edit};

/// Whoever broke it has done so lately.
const COMMITS: usize = 100;

/// What the branch says at one of its commits.
pub struct Branch {
    pub tip: String,
    /// The service's manifest.
    pub file: String,
    /// What it says, whole: the newest one that can be read.
    pub text: String,
    pub image: String,
    pub revision: String,
    pub hold: Option<String>,
    /// Where the newest one cannot be read.
    pub broken: Option<Broken>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub why: String,
    /// The newest commit whose manifest can be read.
    pub before: String,
    /// What is there instead, if anything.
    #[serde(skip)]
    pub text: String,
}

impl Delivery {
    /// The branch as it is now.
    pub fn branch(&self) -> Result<Branch> {
        self.branch_at(self.newest()?)
    }

    pub fn newest(&self) -> Result<String> {
        self.git.require_whole()?;
        self.git.tip(&self.remote, &self.names.branch)
    }

    pub fn branch_at(&self, tip: String) -> Result<Branch> {
        read(&self.git, &self.names, tip)
    }

    /// The branch for whoever wants to go back: also where the newest manifest is gone, or is none any more.
    pub fn branch_before(&self, tip: String) -> Result<Branch> {
        let why = match self
            .branch_at(tip.clone())
            .and_then(|branch| edit::parsed(&branch.file, &branch.text).map(|_| branch))
        {
            Ok(branch) => return Ok(branch),
            Err(error) => error,
        };
        let file = self.names.files.deployment();
        let readable = |text: &str| manifest::image(&file, text).is_ok() && edit::parsed(&file, text).is_ok();
        let mut commits = self.git.newest_manifests(&tip, COMMITS)?.into_iter();
        let Some(last) = commits.find(|commit| readable(&commit.text)) else { return Err(why) };
        let text = self.git.manifest(&tip).ok().flatten().unwrap_or_default();
        let why = format!("{why:#}").lines().next().unwrap_or_default().to_owned();
        let broken = Some(Broken { why, before: last.commit.id, text });
        Ok(Branch { broken, ..of(tip, file, last.text)? })
    }

    /// The hold that stands, with its age; None where none does.
    pub async fn standing_hold(&self) -> Result<Option<Standing>> {
        let (git, remote, name) = (Arc::clone(&self.git), self.remote.clone(), self.names.branch.clone());
        let work = move || {
            git.require_whole()?;
            let commits = git.newest_manifests(&git.tip(&remote, &name)?, COMMITS)?;
            let Some((hold, begun)) = held_since(&commits) else { return Ok(None) };
            let age = Timestamp::now().duration_since(begun.at).try_into().unwrap_or_default();
            Ok(Some(Standing { bad: hold.bad, line: hold.line, is_certain: hold.is_certain, age }))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(anyhow!("git: {error}")))
    }

    /// The same with the commit that is to be followed, in a thread of its own: whoever watches goes on when git hangs.
    pub async fn followed(&self) -> Result<(Branch, Followed)> {
        let (git, remote, names) = (Arc::clone(&self.git), self.remote.clone(), self.names.clone());
        let work = move || {
            git.require_whole()?;
            let branch = read(&git, &names, git.tip(&remote, &names.branch)?)?;
            let followed = follow(&git, &branch)?;
            Ok((branch, followed))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(anyhow!("git: {error}")))
    }
}

/// The hold of the newest of these manifests, and the commit with which it began.
pub fn held_since(manifests: &[Manifest]) -> Option<(Hold, &Commit)> {
    let hold = manifest::hold(&manifests.first()?.text)?;
    let same = |each: &&Manifest| manifest::hold(&each.text).is_some_and(|each| each.bad == hold.bad);
    let begun = manifests.iter().take_while(same).last()?;
    Some((hold, &begun.commit))
}

fn read(git: &Git, names: &Coordinates, tip: String) -> Result<Branch> {
    let (text, file) = (git.manifest(&tip)?, names.files.deployment());
    let text = text.with_context(|| format!("branch {} has no {file}", names.branch))?;
    of(tip, file, text)
}

fn of(tip: String, file: String, text: String) -> Result<Branch> {
    let (image, hold) = (manifest::image(&file, &text)?, manifest::hold(&text));
    Ok(Branch {
        tip,
        file,
        image: image.name,
        revision: image.revision,
        hold: hold.map(|hold| hold.bad),
        text,
        broken: None,
    })
}

fn follow(git: &Git, branch: &Branch) -> Result<Followed> {
    let mut newest = git.newest_manifests(&branch.tip, 2)?.into_iter();
    let commit = newest.next().with_context(|| format!("{} has no history on this branch", branch.file))?.commit;
    let before = newest.next().and_then(|before| manifest::image(&branch.file, &before.text).ok());
    Ok(Followed {
        image: format!("{}:sha-{}", branch.image, branch.revision),
        wrote_the_tag: before.is_none_or(|before| before.revision != branch.revision || before.name != branch.image),
        commit: commit.id,
        subject: commit.subject,
    })
}
