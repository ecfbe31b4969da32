//! What the outside systems say about one commit.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cluster::application::Application;
use crate::cluster::argocd::Idle;
use crate::cluster::offered::Offered;
use crate::cluster::pods::Pod;
use crate::cluster::project::Project;
use crate::cluster::workload::Workload;
use crate::coordinates::{Coordinates, tag_of, tagged};
use crate::git::history::Commit;
use crate::manifest::Hold;

/// The error is why it could not be seen, as a sentence for the answer.
pub type Seen<T> = Result<T, String>;

#[derive(Clone, Debug)]
pub struct Facts {
    pub now: Timestamp,
    pub commit: Commit,
    pub names: Coordinates,
    pub branch: Seen<Branch>,
    /// Of the image that the commit needs: its digest, or None when the registry has no such image.
    pub digest: Seen<Option<String>>,
    /// When that image was made, where the registry says it.
    pub created: Option<Timestamp>,
    /// Asked for while the commit has no bump, and always where it costs nothing.
    pub run: Seen<Option<Run>>,
    pub application: Seen<Option<Application>>,
    /// Parts of Argo CD without a ready pod.
    pub idle: Seen<Vec<Idle>>,
    pub project: Seen<Option<Project>>,
    /// The loop of this machine, which makes again what it lacks.
    pub is_stand_in: bool,
    /// Those revisions of the Application that have the commit, or its bump, in their history.
    pub containing: BTreeSet<String>,
    pub serving: Serving,
}

impl Facts {
    /// The commit whose own image is waited for: the one asked for, or the merge that brought it in.
    pub fn built_as(&self) -> &Commit {
        let source = self.branch.as_ref().ok().and_then(|branch| branch.source.as_ref());
        source.unwrap_or(&self.commit)
    }

    /// The tag that the pods have to run; None when any will do.
    pub fn expected_tag(&self) -> Option<String> {
        match self.branch.as_ref().map(|branch| &branch.build) {
            Ok(Build::NotNeeded(_)) => None,
            _ => Some(tag_of(&self.built_as().id)),
        }
    }

    /// The Deployment names the very image that the commit has of its own.
    pub fn runs_the_expected_image(&self) -> bool {
        let rollout = self.serving.rollout.as_ref().ok().and_then(Option::as_ref);
        let image = rollout.map(|rollout| tagged(&rollout.workload.image));
        image.is_some() && image == self.expected_tag().map(|tag| self.names.image_of(&tag))
    }
}

/// All that decides whether anybody can be served.
#[derive(Clone, Debug)]
pub struct Serving {
    pub now: Timestamp,
    pub rollout: Seen<Option<Rollout>>,
    /// None when there is no such Service.
    pub offered: Seen<Option<Offered>>,
    pub endpoint: Seen<Endpoint>,
    /// Somebody has named the endpoint, or it is on this machine: silence there is no matter of a firewall.
    pub has_to_answer: bool,
}

/// The branch that Argo CD watches, seen from the commit.
#[derive(Clone, Debug)]
pub struct Branch {
    pub name: String,
    /// Its newest commit.
    pub tip: String,
    /// None when the branch has not got the commit.
    pub source: Option<Commit>,
    pub build: Build,
    /// The newest commit that wrote the commit's own tag.
    pub bump: Option<Commit>,
    pub newest: Newest,
    pub hold: Option<Hold>,
    /// A later commit with which the image's inputs were again the deployed ones.
    pub taken_back_by: Option<Commit>,
    /// The branch's commit with the same change, where a squash or a rebase brought it in.
    pub taken_over_as: Option<Commit>,
    /// What the commit's message says so that no workflow runs for it, such as `[skip ci]`.
    pub skips_runs: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Build {
    Needed,
    /// No input of the image has changed since the one with this tag.
    NotNeeded(String),
}

/// What the branch's newest manifest names.
#[derive(Clone, Debug)]
pub struct Newest {
    pub tag: String,
    pub relation: Relation,
    /// The commit that wrote the tag, when it came after the commit in question.
    pub by: Option<Commit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The image of the commit itself.
    Own,
    /// That of a commit which has this one in its history.
    Newer(Commit),
    /// That of a commit from before, or of none that the branch knows.
    Older,
}

/// The workflow's run for the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub state: RunState,
    /// How to look at it.
    pub look: String,
    /// When its tests and its build were through.
    pub built: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Running,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug)]
pub struct Rollout {
    pub workload: Workload,
    pub pods: Vec<Pod>,
}

/// What `/version` says there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: String,
    pub tag: String,
}
