//! Argo CD: its own manifests as they are, then what this project declares for it.

use std::fs;

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::place::{BRIDGE_ADDRESS, GIT_PORT, REGISTRY_USER};
use super::{Part, Place, shell};

/// In the module that Argo CD is built from.
pub const MANIFESTS: &str = "manifests/core-install.yaml";

/// What the project's files call the repository, and what it is called on this machine.
const REPOSITORY: &str = "https://github.com/voloshko/argo-rust.git";

pub struct ArgoCd;
pub struct Application;

impl Part for ArgoCd {
    fn name(&self) -> &'static str {
        "argocd"
    }

    fn does(&self) -> &'static str {
        "watches the repository and applies what it says"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["controller-manager", "scheduler", "kubelet", "kube-proxy", "coredns", "images"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let manifests = place.builds()?.source("argocd")?.join(MANIFESTS);
        settings(place)?;
        shell::run(
            place
                .kubectl()?
                .args(["apply", "--server-side", "--force-conflicts", "--namespace=argocd", "--filename"])
                .arg(manifests),
        )?;
        Ok(())
    }

    fn ready(&self, place: &Place) -> Result<()> {
        for workload in
            ["deployment/argocd-redis", "deployment/argocd-repo-server", "statefulset/argocd-application-controller"]
        {
            shell::run(place.kubectl()?.args(["rollout", "status", workload, "--namespace=argocd", "--timeout=5s"]))?;
        }
        Ok(())
    }

    fn deadline(&self) -> std::time::Duration {
        std::time::Duration::from_secs(240)
    }

    /// It goes with the cluster's data.
    fn stop(&self, _: &Place) -> Result<()> {
        Ok(())
    }
}

fn apply(place: &Place, text: &str) -> Result<()> {
    let arguments = ["apply", "--server-side", "--force-conflicts", "--filename=-"];
    shell::run_with_input(place.kubectl()?.args(arguments), text)?;
    Ok(())
}

/// Settings of ours, in place before Argo CD starts, so that nothing has to be restarted for them.
fn settings(place: &Place) -> Result<()> {
    apply(place, &fs::read_to_string(place.part("argocd").join("settings.yaml"))?)
}

impl Part for Application {
    fn name(&self) -> &'static str {
        "application"
    }

    fn does(&self) -> &'static str {
        "declares the service to Argo CD"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["argocd", "git"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        apply(place, &fs::read_to_string(place.checkout.join("k8s/namespace.yaml"))?)?;
        apply(place, &pull_secret(place)?)?;
        let local = format!("http://{BRIDGE_ADDRESS}:{GIT_PORT}/voloshko/argo-rust.git");
        let folder = place.checkout.join("argocd");
        let mut files: Vec<_> = fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        let mut texts = Vec::new();
        for file in &files {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            texts.push(text.replace(REPOSITORY, &local));
        }
        apply(place, &texts.join("\n---\n"))
    }

    /// That it is declared. Whether it is in sync is the loop's business, and `status` shows it.
    fn ready(&self, place: &Place) -> Result<()> {
        let path = "jsonpath={.status.sync.status}";
        let arguments = ["get", "applications.argoproj.io", "argo-rust", "--namespace=argocd", "--output", path];
        let status = shell::run(place.kubectl()?.args(arguments))?;
        if status.is_empty() {
            bail!("Argo CD has not looked at it yet")
        }
        Ok(())
    }

    fn stop(&self, _: &Place) -> Result<()> {
        Ok(())
    }
}

/// What the node needs to pull the service's image: the same Secret that README has for GitHub.
fn pull_secret(place: &Place) -> Result<String> {
    let password = place.secret("registry-password")?;
    let auth = BASE64_STANDARD.encode(format!("{REGISTRY_USER}:{password}"));
    let credentials = serde_json::json!({"auths": {"ghcr.io": {"auth": auth}}}).to_string();
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ghcr-secret", "namespace": "argo-rust"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": BASE64_STANDARD.encode(credentials)},
    });
    Ok(secret.to_string())
}
