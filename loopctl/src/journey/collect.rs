//! Asks everybody at once, and keeps apart what each said from why it could not be asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures_util::future::{join, join3};
use jiff::Timestamp;

use super::branch;
use super::endpoint::{self, Client};
use super::facts::{Branch, Build, Endpoint, Facts, Relation, Rollout, Run, Seen};
use super::kept::{FAR, Kept};
use super::workflow;
use crate::cluster::Cluster;
use crate::cluster::application::Application;
use crate::coordinates::{Coordinates, DEPLOYMENT, slug, tag_of};
use crate::exit::NoAccess;
use crate::git::Git;
use crate::git::history::Commit;
use crate::registry::Registry;
use crate::stand_in::{self, StandIn};
use crate::target::Target;

/// Everything that stays the same while a commit is followed.
pub struct Scene {
    pub coordinates: Coordinates,
    pub cluster: Seen<Cluster>,
    pub endpoint: Option<String>,
    pub client: Client,
    git: Arc<Git>,
    stand_in: Option<Arc<StandIn>>,
    tips: Kept<Seen<String>>,
    digests: Kept<Seen<Option<String>>>,
    runs: Kept<Seen<Option<Run>>>,
}

impl Scene {
    pub async fn set(target: &Target, endpoint: Option<&str>) -> Result<Self> {
        let coordinates = target.coordinates()?;
        let cluster = target.cluster().await.map_err(|error| format!("{error:#}"));
        Ok(Self {
            stand_in: cluster.as_ref().ok().and_then(|cluster| stand_in::of(&cluster.server)).map(Arc::new),
            git: Arc::new(Git::in_folder(&coordinates.folder)),
            client: Client::new()?,
            endpoint: endpoint.map(str::to_owned),
            tips: Kept::default(),
            digests: Kept::default(),
            runs: Kept::default(),
            cluster,
            coordinates,
        })
    }

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
                self.coordinates.branch
            )
        })?)
    }

    /// What the newest manifest of the branch names.
    pub async fn image_in_git(&self) -> Seen<String> {
        let tip = self.tip().await?;
        let text = said(self.git.file(&tip, DEPLOYMENT))?.ok_or_else(|| format!("{DEPLOYMENT} is gone"))?;
        said(branch::image_in(&text))
    }

    pub fn is_local_loop(&self) -> bool {
        self.stand_in.is_some()
    }

    /// What Argo CD watches, or what it would watch if it had been told.
    fn repository(&self, application: Option<&Application>) -> String {
        let live = application.map(|application| application.spec.source.repository.clone());
        live.filter(|live| !live.is_empty()).unwrap_or_else(|| self.coordinates.repository.clone())
    }

    async fn tip(&self) -> Seen<String> {
        let application = self.application().await.ok().flatten();
        self.tip_of(self.repository(application.as_ref())).await
    }

    async fn tip_of(&self, repository: String) -> Seen<String> {
        let (git, branch) = (Arc::clone(&self.git), self.coordinates.branch.clone());
        let password = self.stand_in.as_ref().map(|stand_in| stand_in.git_password.clone());
        let question = repository.clone();
        let work = move || git.tip(&git.remote_of(&repository, password)?, &branch);
        self.tips.ask(&question, self.pause(), async { said(in_a_thread(work).await) }).await
    }

    /// How long an answer is good for: the loop on this machine is asked each time.
    fn pause(&self) -> Duration {
        if self.is_local_loop() { Duration::ZERO } else { FAR }
    }

    pub async fn collect(&self, commit: &Commit) -> Facts {
        let source = async {
            let application = self.application().await;
            let branch = self.branch(commit, application.as_ref().ok().cloned().flatten()).await;
            let digest = self.digest(commit, branch.as_ref().ok().map(|(branch, _)| branch)).await;
            (application, branch, digest)
        };
        let ((application, branch, digest), rollout, endpoint) = join3(source, self.rollout(), self.endpoint()).await;
        let (branch, containing) = match branch {
            Ok((branch, containing)) => (Ok(branch), containing),
            Err(reason) => (Err(reason), BTreeSet::new()),
        };
        Facts {
            run: self.run(&branch).await,
            now: Timestamp::now(),
            commit: commit.clone(),
            image: self.coordinates.image.clone(),
            branch,
            digest,
            application,
            containing,
            rollout,
            endpoint,
            endpoint_is_given: self.endpoint.is_some(),
        }
    }

    pub fn reachable(&self) -> Seen<&Cluster> {
        self.cluster.as_ref().map_err(Clone::clone)
    }

    async fn application(&self) -> Seen<Option<Application>> {
        let names = &self.coordinates;
        said(self.reachable()?.application(&names.application_namespace, &names.application).await)
    }

    pub async fn rollout(&self) -> Seen<Option<Rollout>> {
        let (cluster, names) = (self.reachable()?, &self.coordinates);
        let workload = cluster.workload(&names.namespace, &names.deployment, &names.container, &names.selector);
        let (workload, pods) = join(workload, cluster.pods(&names.namespace, &names.selector, &names.container)).await;
        let Some(workload) = said(workload)? else { return Ok(None) };
        Ok(Some(Rollout { workload, pods: said(pods)? }))
    }

    async fn endpoint(&self) -> Seen<Endpoint> {
        let addresses = match &self.endpoint {
            Some(endpoint) => vec![endpoint::base(endpoint)],
            None => endpoint::addresses(self.reachable()?, &self.coordinates).await,
        };
        endpoint::look(&self.client, &addresses).await
    }

    /// Git runs in a thread, so that the cluster is asked meanwhile.
    async fn branch(&self, commit: &Commit, application: Option<Application>) -> Seen<(Branch, BTreeSet<String>)> {
        let (git, coordinates, commit) = (Arc::clone(&self.git), self.coordinates.clone(), commit.clone());
        let tip = self.tip_of(self.repository(application.as_ref())).await?;
        let work = move || {
            let branch = branch::look(&git, &coordinates, &commit, &tip)?;
            let containing = containing(&git, &branch, &application.unwrap_or_default());
            anyhow::Ok((branch, containing))
        };
        said(in_a_thread(work).await)
    }

    async fn digest(&self, commit: &Commit, branch: Option<&Branch>) -> Seen<Option<String>> {
        let tag = match branch.map(|branch| (&branch.build, branch.source.as_ref())) {
            Some((Build::NotNeeded(tag), _)) => tag.clone(),
            Some((Build::Needed, source)) => tag_of(&source.unwrap_or(commit).id),
            None => tag_of(&commit.id),
        };
        let stand_in = self.stand_in.as_deref();
        let registry = said(Registry::of(&self.coordinates.image, self.pull_secret().await.as_deref(), stand_in))?;
        self.digests.ask(&tag, self.pause(), async { said(registry.digest(&tag).await) }).await
    }

    async fn pull_secret(&self) -> Option<String> {
        if self.stand_in.is_some() {
            return None;
        }
        let name = self.coordinates.pull_secrets.first()?;
        self.cluster.as_ref().ok()?.pull_secret(&self.coordinates.namespace, name).await.ok().flatten()
    }

    /// Asked for only when it matters: the question to GitHub takes longer than all the others.
    async fn run(&self, branch: &Seen<Branch>) -> Seen<Option<Run>> {
        let waits = |branch: &&Branch| branch.build == Build::Needed && branch.newest.relation == Relation::Older;
        let Some(source) = branch.as_ref().ok().filter(waits).and_then(|branch| branch.source.clone()) else {
            return Ok(None);
        };
        let repository = self.coordinates.repository.clone();
        let slug = slug(&repository).map_err(|error| error.to_string())?;
        let (stand_in, question) = (self.stand_in.clone(), source.id.clone());
        let work = move || workflow::look(&slug, &repository, &source.id, stand_in.as_deref());
        let asked = async {
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(format!("the workflow: {error}")))
        };
        self.runs.ask(&question, self.pause(), asked).await
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

fn said<T>(answer: Result<T>) -> Seen<T> {
    answer.map_err(|error| format!("{error:#}"))
}
