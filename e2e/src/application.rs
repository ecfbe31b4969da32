//! What Argo CD makes of the repository.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::{APPLICATION, Loop, wait};

const KIND: &str = "applications.argoproj.io";

impl Loop {
    pub fn application(&self) -> Result<Value> {
        self.get("argocd", KIND, APPLICATION)
    }

    /// README's "Force a sync", word for word.
    pub fn force_sync(&self) -> Result<()> {
        self.ask(&[
            "annotate",
            "application",
            APPLICATION,
            "-n",
            "argocd",
            "argocd.argoproj.io/refresh=normal",
            "--overwrite",
        ])?;
        Ok(())
    }

    /// Succeeds once Argo CD has compared with this commit and found no difference.
    pub fn is_synced(&self, commit: &str) -> Result<()> {
        let status = self.application()?["status"].take();
        if status["sync"]["revision"] != commit || status["sync"]["status"] != "Synced" {
            bail!(
                "Argo CD says {} of revision {}; conditions {}; last operation: {}",
                status["sync"]["status"],
                status["sync"]["revision"],
                status["conditions"],
                status["operationState"]["message"]
            );
        }
        Ok(())
    }

    pub fn wait_synced(&self, commit: &str, deadline: Duration) -> Result<Duration> {
        let (_, took) = wait::until(&format!("Argo CD has synced {commit}"), deadline, || self.is_synced(commit))?;
        Ok(took)
    }

    /// Health as Argo CD sees it: Progressing, Healthy, Degraded.
    pub fn health(&self) -> Result<String> {
        Ok(self.application()?["status"]["health"]["status"].as_str().unwrap_or_default().to_owned())
    }

    /// Replaces the Application's sync options, which `up` has taken from argocd/application.yaml.
    pub fn set_sync_options(&self, options: &[&str]) -> Result<()> {
        let patch = json!([{"op": "replace", "path": "/spec/syncPolicy/syncOptions", "value": options}]);
        self.patch("argocd", KIND, APPLICATION, "e2e", &patch)
    }

    pub fn sync_options(&self) -> Result<Vec<String>> {
        let application = self.application()?;
        let options = application["spec"]["syncPolicy"]["syncOptions"].as_array().cloned().unwrap_or_default();
        Ok(options.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}
