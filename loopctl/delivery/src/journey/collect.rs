//! Asks everybody at once, and keeps apart what each said from why it could not be asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use futures_util::future::{join, join3};
use jiff::Timestamp;

use super::branch;
use super::endpoint;
use super::facts::{Branch, Build, Endpoint, Facts, Relation, Run, Seen, Serving};
use super::kept::ALWAYS;
use super::workflow;
use crate::access::NoAccess;
use crate::cluster::application::Application;
use crate::cluster::argocd::Idle;
use crate::cluster::project::Project;
use crate::coordinates::{Coordinates, slug, tag_of};
use crate::git::Git;
use crate::git::history::Commit;
use crate::handle::{Delivery, said};

impl Delivery {
    /// The commit that a person means by what they typed; when the clone has not got it, the branch may have.
    pub async fn commit(&self, revision: &str) -> Result<Commit> {
        let mut id = self.git.resolve(revision)?;
        if id.is_none() {
            let fetched = self.tip().await.map_err(|reason| anyhow!(NoAccess(reason)));
            fetched.with_context(|| format!("this clone has no commit {revision}"))?;
            id = self.git.resolve(revision)?;
        }
        self.git.commit(&id.with_context(|| {
            format!(
                "neither this clone nor {} has a commit {revision}; `git fetch` it first, or say which one you mean",
                self.names.branch
            )
        })?)
    }

    /// What the newest manifest of the branch names.
    pub async fn image_in_git(&self) -> Seen<String> {
        let tip = self.tip().await?;
        let file = self.names.files.deployment();
        let text = said(self.git.manifest(&tip))?.ok_or_else(|| format!("{file} is gone"))?;
        said(branch::image_in(&file, &text))
    }

    /// The newest commit of the branch, which this clone has then.
    pub async fn tip(&self) -> Seen<String> {
        let (git, remote, branch) = (Arc::clone(&self.git), self.remote.clone(), self.names.branch.clone());
        let work = move || git.tip(&remote, &branch);
        self.tips.ask("", self.pause(), async { said(in_a_thread(work).await) }).await
    }

    pub async fn collect(&self, commit: &Commit) -> Facts {
        let source = async {
            let application = self.application().await;
            let source = self.source(commit, &application).await;
            (application, source)
        };
        let ((application, source), serving, (idle, project)) = join3(source, self.serving(), self.argo_cd()).await;
        self.facts(commit, source, Surroundings { application, idle, project, serving })
    }

    /// Asked once, for however many commits are looked at.
    pub async fn surroundings(&self) -> Surroundings {
        let (application, serving, (idle, project)) = join3(self.application(), self.serving(), self.argo_cd()).await;
        Surroundings { application, idle, project, serving }
    }

    pub async fn collect_among(&self, commit: &Commit, around: &Surroundings) -> Facts {
        let source = self.source(commit, &around.application).await;
        self.facts(commit, source, around.clone())
    }

    async fn source(&self, commit: &Commit, application: &Seen<Option<Application>>) -> Source {
        let branch = self.branch_of(commit, application.as_ref().ok().cloned().flatten()).await;
        let (branch, containing) = match branch {
            Ok((branch, containing)) => (Ok(branch), containing),
            Err(reason) => (Err(reason), BTreeSet::new()),
        };
        let tag = tag_for(commit, branch.as_ref().ok());
        let (digest, run) = join(self.digest_of(&tag), self.run(&branch)).await;
        let created = match &digest {
            Ok(Some(digest)) => self.created(digest).await,
            _ => None,
        };
        Source { branch, containing, digest, created, run }
    }

    fn facts(&self, commit: &Commit, source: Source, around: Surroundings) -> Facts {
        let Source { branch, containing, digest, created, run } = source;
        let Surroundings { application, idle, project, serving } = around;
        Facts {
            now: serving.now,
            commit: commit.clone(),
            names: self.own_names(),
            branch,
            digest,
            created,
            run,
            application,
            idle,
            project,
            is_stand_in: self.stand_in.is_some(),
            containing,
            serving,
        }
    }

    /// With the repository that this is about.
    fn own_names(&self) -> Coordinates {
        let names = self.names.clone();
        Coordinates { repository: self.repository.clone(), slug: slug(&self.repository).unwrap_or(names.slug), ..names }
    }

    async fn argo_cd(&self) -> (Seen<Vec<Idle>>, Seen<Option<Project>>) {
        let (namespace, project) = (&self.names.application_namespace, &self.names.project);
        let idle = async { said(self.reachable()?.idle_parts(namespace).await) };
        let project = async { said(self.reachable()?.project(namespace, project).await) };
        join(idle, project).await
    }

    /// Whether anybody can be served, and by what.
    pub async fn serving(&self) -> Serving {
        let offered = async { said(self.reachable()?.offered(&self.names.namespace, &self.names.service).await) };
        let (rollout, offered, endpoint) = join3(self.rollout(), offered, self.endpoint()).await;
        let has_to_answer = self.endpoint.is_some() || self.stand_in.is_some();
        Serving { now: Timestamp::now(), rollout, offered, endpoint, has_to_answer }
    }

    async fn endpoint(&self) -> Seen<Endpoint> {
        let addresses = match &self.endpoint {
            Some(endpoint) => vec![endpoint::base(endpoint)],
            None => endpoint::addresses(self.reachable()?, &self.names).await,
        };
        endpoint::look(&self.client, &addresses).await
    }

    /// Git runs in a thread, so that the cluster is asked meanwhile.
    async fn branch_of(&self, commit: &Commit, application: Option<Application>) -> Seen<(Branch, BTreeSet<String>)> {
        let (git, coordinates, commit) = (Arc::clone(&self.git), self.names.clone(), commit.clone());
        let id = commit.id.clone();
        let tip = self.tip().await?;
        let known = self.known_branch(&tip, &commit.id);
        let work = move || {
            let branch = match known {
                Some(branch) => branch,
                None => branch::look(&git, &coordinates, &commit, &tip)?,
            };
            let containing = containing(&git, &branch, &application.unwrap_or_default());
            anyhow::Ok((branch, containing))
        };
        let found = said(in_a_thread(work).await)?;
        self.know_branch(&id, &found.0);
        Ok(found)
    }

    /// From one tip of the branch each commit always sees the same.
    fn known_branch(&self, tip: &str, commit: &str) -> Option<Branch> {
        let known = self.branches.lock().ok()?;
        if known.0 == tip { known.1.get(commit).cloned() } else { None }
    }

    fn know_branch(&self, commit: &str, branch: &Branch) {
        let Ok(mut known) = self.branches.lock() else { return };
        if known.0 != branch.tip {
            *known = (branch.tip.clone(), HashMap::new());
        }
        known.1.insert(commit.to_owned(), branch.clone());
    }

    async fn digest_of(&self, tag: &str) -> Seen<Option<String>> {
        let image = &self.names.image;
        self.digests.ask(tag, self.pause(), async { said(self.digest(image, tag).await) }).await
    }

    /// When the image was made; nothing where the registry does not say so, as nothing depends on it.
    async fn created(&self, digest: &str) -> Option<Timestamp> {
        let registry = async {
            let registry = self.registry(&self.names.image).await.ok()?;
            registry.created(digest).await.ok().flatten()
        };
        self.created.ask(digest, ALWAYS, registry).await
    }

    /// Asked for only when it matters: the question to GitHub takes longer than all the others.
    async fn run(&self, branch: &Seen<Branch>) -> Seen<Option<Run>> {
        let waits = |branch: &&Branch| {
            let is_waited_for = branch.newest.relation == Relation::Older || self.stand_in.is_some();
            branch.build == Build::Needed && is_waited_for
        };
        let Some(source) = branch.as_ref().ok().filter(waits).and_then(|branch| branch.source.clone()) else {
            return Ok(None);
        };
        let repository = self.repository.clone();
        let slug = slug(&repository).map_err(|error| error.to_string())?;
        let (stand_in, question) = (self.stand_in.clone(), source.id.clone());
        let work = move || workflow::look(&slug, &repository, &source.id, stand_in.as_ref());
        let asked = async {
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(format!("the workflow: {error}")))
        };
        self.runs.ask(&question, self.pause(), asked).await
    }
}

/// What is known of one commit alone.
struct Source {
    branch: Seen<Branch>,
    containing: BTreeSet<String>,
    digest: Seen<Option<String>>,
    created: Option<Timestamp>,
    run: Seen<Option<Run>>,
}

/// What is the same for all commits.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub application: Seen<Option<Application>>,
    pub idle: Seen<Vec<Idle>>,
    pub project: Seen<Option<Project>>,
    pub serving: Serving,
}

/// Of the image that the commit needs.
fn tag_for(commit: &Commit, branch: Option<&Branch>) -> String {
    match branch.map(|branch| (&branch.build, branch.source.as_ref())) {
        Some((Build::NotNeeded(tag), _)) => tag.clone(),
        Some((Build::Needed, source)) => tag_of(&source.unwrap_or(commit).id),
        None => tag_of(&commit.id),
    }
}

/// Those revisions which Argo CD speaks of that have the commit's bump, or the commit itself when it needs none.
fn containing(git: &Git, branch: &Branch, application: &Application) -> BTreeSet<String> {
    let source = branch.source.as_ref();
    let needed = match branch.build {
        Build::NotNeeded(_) => source,
        Build::Needed => branch.bump.as_ref().or(source.filter(|_| branch.newest.relation == Relation::Own)),
    };
    let Some(needed) = needed else { return BTreeSet::new() };
    let status = &application.status;
    let mut revisions: BTreeSet<&str> = status.history.iter().map(|entry| entry.revision.as_str()).collect();
    revisions.insert(&status.sync.revision);
    revisions.extend(status.operation_state.as_ref().map(|operation| operation.revision()));
    // A revision that this clone has not got is none of the branch, which it has got whole.
    let has = |revision: &&str| !revision.is_empty() && git.is_ancestor(&needed.id, revision).unwrap_or(false);
    revisions.into_iter().filter(has).map(str::to_owned).collect()
}

async fn in_a_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(anyhow!("git: {error}")))
}
