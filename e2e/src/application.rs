//! What Argo CD makes of the repository.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::repository::Clone;
use crate::{APPLICATION, Loop, wait};

pub const KIND: &str = "applications.argoproj.io";

pub const SYNC: Duration = Duration::from_secs(30);
/// Argo CD may be waiting for its next try of a sync that a proof has made fail: up to a minute.
pub const AFTER_A_FAILURE: Duration = Duration::from_secs(100);

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

    /// Bumps the tag and follows it with a forced sync until every pod runs it; returns the time of both.
    pub fn deliver(&self, clone: &Clone, tag: &str) -> Result<(Duration, Duration)> {
        let begin = Instant::now();
        let commit = clone.bump(tag)?;
        self.force_sync()?;
        self.wait_synced(&commit, SYNC)?;
        let synced = begin.elapsed();
        self.wait_rolled_out(tag)?;
        Ok((synced, begin.elapsed()))
    }

    /// Runs a proof's body on a fresh clone, then puts k8s/ back, whatever came of the body.
    /// The body gets the clone and the tag that is live.
    pub fn on_a_clone(&self, body: impl FnOnce(&Clone, &str) -> Result<()>) -> Result<()> {
        let clone = Clone::of(self)?;
        let (start, tag) = (clone.head()?, clone.tag()?);
        self.wait_rolled_out(&tag).context("the loop was not at rest when the proof began")?;
        let outcome = body(&clone, &tag);
        let back = self.put_back(&clone, &start, &tag).context("while putting k8s/ back");
        outcome.and(back)
    }

    fn put_back(&self, clone: &Clone, start: &str, tag: &str) -> Result<()> {
        let commit = clone.restore(start)?;
        self.force_sync()?;
        self.wait_synced(&commit, AFTER_A_FAILURE)?;
        self.wait_rolled_out(tag)?;
        Ok(())
    }

    /// How often Argo CD asks git, as argocd/settings.yaml has it.
    pub fn polling_interval(&self) -> Result<Duration> {
        let settings = self.get("argocd", "configmap", "argocd-cm")?;
        let text = settings["data"]["timeout.reconciliation"].as_str().unwrap_or_default();
        let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
        Ok(Duration::from_secs(seconds.context("argocd-cm sets no timeout.reconciliation in seconds")?))
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
