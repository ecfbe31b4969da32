//! Which delivery a command is about: options that all of them have in common.

use anyhow::Result;
use clap::Args;

use crate::cluster::Cluster;
use crate::coordinates::Coordinates;

/// Flatten it last into a command's options: its heading counts for all that follow.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Which delivery")]
pub struct Target {
    /// A context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
    /// The service's namespace [default: that of k8s/deployment.yaml]
    #[arg(long, short, value_name = "NAME", env = "LOOPCTL_NAMESPACE", hide_env_values = true)]
    pub namespace: Option<String>,
    /// The Application [default: that of argocd/application.yaml]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_APPLICATION", hide_env_values = true)]
    pub application: Option<String>,
}

/// Where the delivered service is asked.
#[derive(Args)]
pub struct At {
    /// Where the service answers, such as http://node:30800 [default: its NodePort]
    #[arg(long, value_name = "URL", env = "LOOPCTL_ENDPOINT", hide_env_values = true)]
    pub endpoint: Option<String>,
}

impl Target {
    /// What the checkout says, with the options' values in its place where they are given.
    pub fn coordinates(&self) -> Result<Coordinates> {
        let mut coordinates = Coordinates::find()?;
        if let Some(namespace) = &self.namespace {
            coordinates.namespace.clone_from(namespace);
        }
        if let Some(application) = &self.application {
            coordinates.application.clone_from(application);
        }
        Ok(coordinates)
    }

    pub async fn cluster(&self) -> Result<Cluster> {
        Cluster::connect(self.context.as_deref()).await
    }
}

/// What a command that waits for outside systems runs in: many requests at once, on one thread.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    // Whatever speaks TLS here asks for this once: ring, because it needs nothing but a C compiler to be built.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
