//! Which delivery a command is about: options that all of them have in common.

use anyhow::Result;
use clap::Args;

use delivery::Choice;

/// Flatten it last into a command's options: its heading counts for all that follow.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Which delivery")]
pub struct Target {
    /// One of the services that are built in this repository [default: its own]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_SERVICE", hide_env_values = true)]
    pub service: Option<String>,
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
    pub fn choice(&self) -> Choice {
        let Self { service, context, namespace, application } = self.clone();
        Choice { service, context, namespace, application, endpoint: None }
    }

    pub fn choice_at(&self, at: &At) -> Choice {
        Choice { endpoint: at.endpoint.clone(), ..self.choice() }
    }
}

/// What a command that waits for outside systems runs in: many requests at once, on one thread.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // What a thread still waits for, a git that gets no answer, is nobody's concern any more.
    runtime.shutdown_background();
    outcome
}
