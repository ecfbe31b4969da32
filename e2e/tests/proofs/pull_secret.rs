//! Pods whose image cannot be pulled wait and say why, and start once it can be.

use std::time::Duration;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use e2e::report::{Report, ensure};
use e2e::service::Witness;
use e2e::wait::{self, seconds};
use e2e::{Loop, NAMESPACE};
use serde_json::{Value, json};

pub const SECRET: &str = "ghcr-secret";

pub fn pods_wait_without_the_pull_secret_and_start_once_it_is_made(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let secret = the_loop.get(NAMESPACE, "secret", SECRET)?["data"][".dockerconfigjson"].take();
    let right = secret.as_str().context("the pull secret is empty")?.to_owned();
    let wrong = BASE64_STANDARD
        .encode(json!({"auths": {"ghcr.io": {"auth": BASE64_STANDARD.encode("argo-rust:wrong")}}}).to_string());
    the_loop.on_a_clone(|clone, live| {
        let outcome = (|| {
            for (what, bad) in [("missing", None), ("of a wrong password", Some(&wrong))] {
                let tag = the_loop.fresh_tag(live)?;
                match bad {
                    None => drop(the_loop.ask(&["delete", "secret", SECRET, "--namespace", NAMESPACE])?),
                    Some(bad) => the_loop.apply(&pull_secret(bad))?,
                }
                let witness = Witness::start();
                clone.bump(&tag)?;
                the_loop.force_sync()?;
                let (reason, after) =
                    wait::until("the new pod waits for its image", Duration::from_secs(40), || waits(the_loop, &tag))?;
                ensure(
                    "the reason names the refused pull",
                    reason.contains("401") || reason.contains("authorization failed") || reason.contains("credentials"),
                    &reason,
                )?;
                the_loop.apply(&pull_secret(&right))?;
                let healed = the_loop.wait_rolled_out(&tag)?;
                let asked = witness.all_answered()?;
                report.measured(format!(
                    "pull secret {what}: said after {} ({}); healed {} after it was put right; 0 of {asked} requests failed",
                    seconds(after),
                    short(&reason),
                    seconds(healed)
                ));
            }
            let tag = the_loop.fresh_tag(live)?;
            let (_, took) = the_loop.deliver(clone, &tag)?;
            let waiting = waits(the_loop, &tag).is_ok();
            report.control(format!("with the right secret a new image was live after {}, and no pod waited", seconds(took)));
            ensure("no pod waits for its image", !waiting, "one does")
        })();
        // Whatever happened, the proofs that follow need it.
        the_loop.apply(&pull_secret(&right))?;
        outcome
    })
}

fn pull_secret(content: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": content},
    })
    .to_string()
}

/// The reason and message of a pod that waits for this image.
pub fn waits(the_loop: &Loop, tag: &str) -> Result<String> {
    let mut seen = Vec::new();
    for pod in the_loop.pods()? {
        let status = &pod["status"]["containerStatuses"][0];
        let waiting = &status["state"]["waiting"];
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let reason = waiting["reason"].as_str().unwrap_or_default();
        // The first message is the whole story; once it backs off, the kubelet shortens it.
        if image.ends_with(tag) && matches!(reason, "ErrImagePull" | "ImagePullBackOff") {
            return Ok(format!("{reason}: {}", waiting["message"].as_str().unwrap_or_default()));
        }
        seen.push(Value::from(format!("{image}: {}", status["state"])));
    }
    anyhow::bail!("the pods are {}", Value::from(seen))
}

fn short(reason: &str) -> String {
    let end = reason.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    let name = reason.split(':').next().unwrap_or_default();
    format!("{name}: ..{end}")
}
