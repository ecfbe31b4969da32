//! The handle on one delivery: its names, and everybody who can be asked about it.

mod history;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::join;
use jiff::Timestamp;

use crate::access::NoAccess;
use crate::cluster::Cluster;
use crate::cluster::application::Application;
use crate::cluster::kubeconfig::Kubeconfig;
use crate::coordinates::{APPLICATION, Coordinates, DEFAULT_BRANCH, slug};
use crate::git::Git;
use crate::git::remote::Remote;
use crate::journey::endpoint::Client;
use crate::journey::facts::{Branch, Rollout, Run, Seen};
use crate::journey::kept::{FAR, Kept};
use crate::registry::Registry;
use crate::stand_in::{self, StandIn};

/// What a person has said in place of what the checkout and the kubeconfig say.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// One that is built in the same repository.
    pub service: Option<String>,
    pub context: Option<String>,
    pub namespace: Option<String>,
    pub application: Option<String>,
    /// Where the service is asked.
    pub endpoint: Option<String>,
}

/// For all that is said between a registry and whoever asks for one image: a token, a redirect, a second login.
const REGISTRY: Duration = Duration::from_secs(10);

pub struct Delivery {
    pub names: Coordinates,
    pub git: Arc<Git>,
    /// The address of the repository that this is about, which is not always the one that the files have.
    pub repository: String,
    pub remote: Remote,
    /// Or the reason why there is none.
    pub cluster: Seen<Cluster>,
    pub endpoint: Option<String>,
    pub client: Client,
    pub stand_in: Option<StandIn>,
    pub(crate) tips: Kept<Seen<String>>,
    /// The branch as each commit sees it, at one tip.
    pub(crate) branches: Mutex<(String, HashMap<String, Branch>)>,
    pub(crate) digests: Kept<Seen<Option<String>>>,
    pub(crate) created: Kept<Option<Timestamp>>,
    pub(crate) runs: Kept<Seen<Option<Run>>>,
}

impl Choice {
    /// What the checkout says, with what was chosen in its place.
    pub fn coordinates(&self) -> Result<Coordinates> {
        let mut names = match &self.service {
            Some(name) => Coordinates::find_service(name)?,
            None => Coordinates::find().or_else(before_it_broke)?,
        };
        if let Some(namespace) = &self.namespace {
            names.namespace.clone_from(namespace);
        }
        if let Some(application) = &self.application {
            names.application.clone_from(application);
        }
        Ok(names)
    }

    pub async fn cluster(&self) -> Result<Cluster> {
        Cluster::connect(self.context.as_deref()).await
    }
}

/// The names of the history, when there are some, with a word about it.
fn before_it_broke(error: anyhow::Error) -> Result<Coordinates> {
    let here = std::env::current_dir()?;
    let Some(folder) = here.ancestors().find(|folder: &&Path| folder.join(APPLICATION).is_file()) else {
        return Err(error);
    };
    match history::names(folder) {
        Ok(Some((names, commit))) => {
            eprintln!("{error:#}. The names are those of commit {commit}, which could be read.");
            Ok(names)
        }
        _ => Err(error),
    }
}

impl Delivery {
    pub async fn find(choice: &Choice) -> Result<Self> {
        let names = choice.coordinates()?;
        Self::with(names, said(choice.cluster().await), choice.endpoint.clone()).await
    }

    /// On the loop of this machine, whatever kubeconfig is set up.
    pub async fn of_the_loop(names: Coordinates) -> Result<Self> {
        let stand_in = StandIn::of_this_machine()?.context("there is no loop on this machine")?;
        let cluster = Cluster::by(Kubeconfig::OfTheLoop(stand_in.kubeconfig), None).await;
        Self::with(names, said(cluster), None).await
    }

    async fn with(mut names: Coordinates, cluster: Seen<Cluster>, endpoint: Option<String>) -> Result<Self> {
        let stand_in = cluster.as_ref().ok().and_then(|cluster| stand_in::of(&cluster.server));
        let git = Git::of(&names);
        let repository = match &stand_in {
            Some(stand_in) => stand_in.repository.clone(),
            None => watched(&git, &names, &cluster).await.unwrap_or_else(|| names.repository.clone()),
        };
        let password = stand_in.as_ref().map(|stand_in| stand_in.git_password.clone());
        let remote = git.remote_of(&repository, password)?;
        if names.branch == DEFAULT_BRANCH {
            // Where nobody answers, every later question says why.
            names.branch = git.default_branch(&remote).unwrap_or(names.branch);
        }
        Ok(Self { repository, stand_in, cluster, endpoint, ..Self::beside(names, git, remote)? })
    }

    /// A repository without a cluster.
    pub fn beside(names: Coordinates, git: Git, remote: Remote) -> Result<Self> {
        Ok(Self {
            repository: names.repository.clone(),
            names,
            git: Arc::new(git),
            remote,
            cluster: Err("there is no cluster".to_owned()),
            endpoint: None,
            client: Client::new()?,
            stand_in: None,
            tips: Kept::default(),
            branches: Mutex::default(),
            digests: Kept::default(),
            created: Kept::default(),
            runs: Kept::default(),
        })
    }

    pub fn reachable(&self) -> Seen<&Cluster> {
        self.cluster.as_ref().map_err(Clone::clone)
    }

    /// How long an answer is good for: the loop on this machine is asked each time.
    pub(crate) fn pause(&self) -> Duration {
        if self.stand_in.is_some() { Duration::ZERO } else { FAR }
    }

    pub async fn application(&self) -> Seen<Option<Application>> {
        let names = &self.names;
        said(self.reachable()?.application(names).await)
    }

    pub async fn rollout(&self) -> Seen<Option<Rollout>> {
        let (cluster, names) = (self.reachable()?, &self.names);
        let workload = cluster.workload(&names.namespace, &names.deployment, &names.container, &names.selector);
        let (workload, pods) = join(workload, cluster.pods(&names.namespace, &names.selector, &names.container)).await;
        let Some(workload) = said(workload)? else { return Ok(None) };
        Ok(Some(Rollout { workload, pods: said(pods)? }))
    }

    /// The digest behind a tag, or None when the registry has no such image.
    pub async fn digest(&self, image: &str, tag: &str) -> Result<Option<String>> {
        let registry = self.registry(image).await?;
        let answer = tokio::time::timeout(REGISTRY, registry.digest(tag)).await;
        answer.unwrap_or_else(|_| {
            let seconds = REGISTRY.as_secs();
            Err(NoAccess(format!("the registry of {image} does not answer: nothing from it within {seconds} s")).into())
        })
    }

    pub(crate) async fn registry(&self, image: &str) -> Result<Registry> {
        let secret = match (&self.cluster, self.names.pull_secrets.first()) {
            // Whoever may not read it may still be logged in to the registry.
            (Ok(cluster), Some(name)) if self.stand_in.is_none() => {
                cluster.pull_secret(&self.names.namespace, name).await.unwrap_or_default()
            }
            _ => None,
        };
        Registry::of(image, secret.as_deref(), self.stand_in.as_ref())
    }
}

/// Argo CD's own word for where it deploys from: a fork has another address than the files of the checkout. One that this
/// clone has nothing to do with is none of this delivery.
async fn watched(git: &Git, names: &Coordinates, cluster: &Seen<Cluster>) -> Option<String> {
    let application = cluster.as_ref().ok()?.application(names).await.ok()??;
    let repository = application.spec.source.repository;
    let is_ours = || {
        slug(&repository).is_ok_and(|slug| slug.eq_ignore_ascii_case(&names.slug))
            || git.remote_of(&repository, None).is_ok_and(|remote| remote.address != repository)
    };
    (!repository.is_empty() && is_ours()).then_some(repository)
}

pub(crate) fn said<T>(answer: Result<T>) -> Seen<T> {
    answer.map_err(|error| format!("{error:#}"))
}
