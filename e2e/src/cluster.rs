//! The cluster, through the loop's own kubectl.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::watch::is_live;
use crate::{DEPLOYMENT, IMAGE, Loop, NAMESPACE, shell, wait};

/// From a sync to the last new pod being available, on a machine that is busy with other things.
const ROLLOUT: Duration = Duration::from_secs(120);

/// terminationGracePeriodSeconds, and what deleting takes.
const GONE: Duration = Duration::from_secs(60);

impl Loop {
    /// kubectl as the cluster's administrator; the user's own kubeconfig is never looked at.
    pub fn kubectl(&self) -> Command {
        let mut kubectl = self.program("kubectl");
        kubectl.arg("--kubeconfig").arg(self.state.join("kubeconfig")).env_remove("KUBECONFIG");
        kubectl
    }

    /// What kubectl printed.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        shell::run(self.kubectl().args(arguments))
    }

    pub fn get(&self, namespace: &str, kind: &str, name: &str) -> Result<Value> {
        let text = self.ask(&["get", kind, name, "--namespace", namespace, "--output=json"])?;
        serde_json::from_str(&text).with_context(|| format!("kubectl's answer about {kind} {name}"))
    }

    pub fn exists(&self, namespace: &str, kind: &str, name: &str) -> Result<bool> {
        let found = self.ask(&["get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output=name"])?;
        Ok(!found.trim().is_empty())
    }

    pub fn apply(&self, object: &str) -> Result<()> {
        let arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=e2e", "--filename=-"];
        shell::run_with_input(self.kubectl().args(arguments), object)?;
        Ok(())
    }

    /// A JSON patch, as whoever `manager` is.
    pub fn patch(&self, namespace: &str, kind: &str, name: &str, manager: &str, patch: &Value) -> Result<()> {
        self.ask(&[
            "patch",
            kind,
            name,
            "--namespace",
            namespace,
            "--type=json",
            "--field-manager",
            manager,
            "--patch",
            &patch.to_string(),
        ])?;
        Ok(())
    }

    pub fn deployment(&self) -> Result<Value> {
        self.get(NAMESPACE, "deployment", DEPLOYMENT)
    }

    /// The service's pods, the newest last; those that are on their way out too.
    pub fn pods(&self) -> Result<Vec<Value>> {
        let text = self.ask(&[
            "get",
            "pods",
            "--namespace",
            NAMESPACE,
            "--selector=app.kubernetes.io/name=argo-rust",
            "--sort-by=.metadata.creationTimestamp",
            "--output=json",
        ])?;
        let list: Value = serde_json::from_str(&text).context("kubectl's list of pods")?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Succeeds once every pod of the service runs this tag and none of another is left to start.
    pub fn is_rolled_out(&self, tag: &str) -> Result<()> {
        let deployment = self.deployment()?;
        let wanted = format!("{IMAGE}:{tag}");
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        if image != wanted.as_str() {
            bail!("the Deployment has {image}, not {wanted}");
        }
        if !is_live(&deployment, tag) {
            let (replicas, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
            bail!("the rollout of {wanted} is not finished: wanted {replicas} replicas, status {status}");
        }
        Ok(())
    }

    pub fn wait_rolled_out(&self, tag: &str) -> Result<Duration> {
        let (_, took) = wait::until(&format!("every pod runs {tag}"), ROLLOUT, || self.is_rolled_out(tag))?;
        Ok(took)
    }

    /// Until the pods that a rollout has replaced have drained and are gone.
    pub fn wait_for_old_pods(&self) -> Result<()> {
        wait::until("every old pod is gone", GONE, || {
            let pods = self.pods()?;
            match pods.iter().find(|pod| !pod["metadata"]["deletionTimestamp"].is_null()) {
                Some(pod) => bail!("pod {} is still leaving", pod["metadata"]["name"]),
                None => Ok(()),
            }
        })?;
        Ok(())
    }
}
