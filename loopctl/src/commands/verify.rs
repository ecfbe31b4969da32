//! `loopctl verify`: README's chapter "Verify a rollout" as one command.
//!
//! Of the service it asks what the delivery's contract in ARCHITECTURE.md says, and what it is told to ask.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Result, anyhow};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::service::checks;
use crate::exit::Exit;
use crate::output::{Answer, Output, style};
use crate::target::{At, Target, block_on};
use crate::text::plain::line;
use delivery::Delivery;
use delivery::access::NoAccess;
use delivery::coordinates::{split_image, tag_of};
use delivery::journey::answer::{Hop, HopState};
use delivery::journey::endpoint;
use delivery::journey::facts::{Rollout, Serving};
use delivery::journey::hops::pods::pods;

const VERSION: &str = "/version";

/// Check that what runs is what git says, that it answers rightly, and where its image comes from
#[derive(Args)]
#[command(after_help = Exit::help())]
pub struct Options {
    #[command(flatten)]
    at: At,
    /// A further path that must answer 200, such as /orders/42; may be given more than once
    #[arg(long = "path", value_name = "PATH", value_parser = checks::path)]
    paths: Vec<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Verified {
    passed: bool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    check: String,
    outcome: Outcome,
    detail: String,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    Failed,
    /// It could not be checked from here; the detail says why.
    Skipped,
}

impl Answer for Verified {
    fn text(&self) -> String {
        let names: Vec<String> = self.checks.iter().map(|check| line(&check.check)).collect();
        let widest = names.iter().map(|name| name.width()).max().unwrap_or_default();
        let lines = self.checks.iter().zip(&names).map(|(check, name)| {
            let word = match check.outcome {
                Outcome::Passed => style::paint(style::GOOD, "passed "),
                Outcome::Failed => style::paint(style::BAD, "FAILED "),
                Outcome::Skipped => style::paint(style::DIM, "skipped"),
            };
            let padding = " ".repeat(widest.saturating_sub(name.width()));
            format!("{word}  {name}{padding}  {}", line(&check.detail))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    block_on(async {
        let delivery = Delivery::find(&options.target.choice_at(&options.at)).await?;
        let cluster = delivery.reachable().map_err(|reason| anyhow!(NoAccess(reason)))?;
        let serving = delivery.serving().await;
        let rollout = serving.rollout.clone().map_err(|reason| anyhow!(NoAccess(reason)))?;
        let rollout = rollout.ok_or_else(|| anyhow!("there is no Deployment {}", delivery.names.deployment))?;
        let pods = pods(serving.now, &rollout);
        let mut checks = vec![of_rollout(&pods, &rollout), of_git(&delivery, &rollout).await];
        checks.extend(led(&serving, &rollout));
        let addresses = match &options.at.endpoint {
            Some(endpoint) => vec![endpoint::base(endpoint)],
            None => endpoint::addresses(cluster, &delivery.names).await,
        };
        checks.extend(of_service(&delivery, &addresses, &rollout, &options.paths).await);
        checks.push(of_attestation(&delivery, &rollout));
        let passed = checks.iter().all(|check| check.outcome != Outcome::Failed);
        options.output.print(&Verified { passed, checks })?;
        Ok(if passed { Exit::Done } else { Exit::Failed }.into())
    })
}

fn check(check: &str, passed: bool, detail: impl Into<String>) -> Check {
    Check {
        check: check.to_owned(),
        outcome: if passed { Outcome::Passed } else { Outcome::Failed },
        detail: detail.into(),
    }
}

fn skipped(check: &str, why: impl Into<String>) -> Check {
    Check { check: check.to_owned(), outcome: Outcome::Skipped, detail: why.into() }
}

/// As `where` decides it, and with its reasons.
fn of_rollout(pods: &Hop, rollout: &Rollout) -> Check {
    let why = if pods.reason.is_empty() { String::new() } else { format!(": {}", pods.reason.join("; ")) };
    check("rollout", pods.state == HopState::Done, format!("{} run {}{why}", pods.detail, rollout.workload.image))
}

/// Whether the Service leads to the pods; whether anybody answers there is asked by the checks that follow.
fn led(serving: &Serving, rollout: &Rollout) -> Option<Check> {
    const NAME: &str = "service";
    match serving.offered.as_ref().map(|offered| serving.led(rollout, offered.as_ref())) {
        Ok(Ok(detail)) => Some(check(NAME, true, detail)),
        // Of pods of which none is ready the rollout has said it.
        Ok(Err(_)) if !pods(serving.now, rollout).is_done() => None,
        Ok(Err(hop)) => {
            let why = hop.reason.first().map(|reason| format!(": {reason}")).unwrap_or_default();
            Some(check(NAME, false, format!("{}{why}", hop.detail)))
        }
        Err(reason) => Some(skipped(NAME, reason.clone())),
    }
}

async fn of_git(delivery: &Delivery, rollout: &Rollout) -> Check {
    match delivery.image_in_git().await {
        Ok(image) if image == rollout.workload.image => check("image", true, "the one that git names"),
        Ok(image) => check("image", false, format!("git names {image}, the cluster runs {}", rollout.workload.image)),
        Err(reason) => skipped("image", reason),
    }
}

async fn of_service(delivery: &Delivery, addresses: &[String], rollout: &Rollout, paths: &[String]) -> Vec<Check> {
    let probe = delivery.names.probe.as_ref().map(|probe| probe.path.as_str());
    let mut checks = Vec::new();
    if probe.is_none() {
        let advice = format!(
            "{} has no readinessProbe with an httpGet, which says what to ask",
            delivery.names.files.deployment()
        );
        checks.push(check("probe", false, advice));
    }
    let mut asked: Vec<&str> = probe.into_iter().chain(paths.iter().map(String::as_str)).collect();
    asked.push(VERSION);
    let mut found = None;
    for address in addresses {
        found = Some(address);
        if delivery.client.get(address, asked[0]).await.is_ok() {
            break;
        }
    }
    let tag = split_image(&rollout.workload.image).map(|(_, tag)| tag).unwrap_or_default();
    for path in asked {
        let Some(address) = found else {
            checks.push(check(path, false, "the Service has no NodePort: name its address with --endpoint"));
            continue;
        };
        checks.push(match delivery.client.get(address, path).await {
            Ok(answer) => {
                let right = path != VERSION || names_the_tag(&answer, &tag);
                check(path, right, format!("{address} answers {}", shortened(&answer)))
            }
            Err(error) => check(path, false, format!("{error:#}")),
        });
    }
    checks
}

fn names_the_tag(version: &str, tag: &str) -> bool {
    let version: Value = serde_json::from_str(version).unwrap_or_default();
    let revision = version["revision"].as_str().filter(|revision| revision.len() == 40);
    version["image_tag"] == tag && revision.is_some_and(|revision| tag_of(revision) == tag)
}

/// An answer may have any length and any lines; its beginning tells which one it was.
fn shortened(answer: &str) -> String {
    const SHOWN: usize = 160;
    let line = answer.trim().lines().next().unwrap_or("nothing");
    if line.chars().count() <= SHOWN && line.len() == answer.trim().len() {
        return line.to_owned();
    }
    format!("{}… ({} bytes)", line.chars().take(SHOWN).collect::<String>(), answer.len())
}

/// By GitHub's own command: that this repository's workflow built the very digest that runs.
fn of_attestation(delivery: &Delivery, rollout: &Rollout) -> Check {
    const NAME: &str = "attestation";
    if delivery.stand_in.is_some() {
        return skipped(
            NAME,
            "the loop on this machine attests nothing: nobody but GitHub signs for GitHub's workflows",
        );
    }
    let running = rollout.pods.iter().rev().find(|pod| pod.ready && pod.image == rollout.workload.image);
    let Some(digest) = running.and_then(|pod| Some(pod.image_id.split_once('@')?.1)) else {
        return skipped(NAME, "no pod says which digest it runs");
    };
    let image = format!("oci://{}@{digest}", delivery.names.image);
    let slug = &delivery.names.slug;
    let workflow = format!("{slug}/.github/workflows/{}", delivery::journey::workflow::FILE);
    let mut gh = Command::new("gh");
    gh.args(["attestation", "verify", &image, "--repo", slug, "--signer-workflow", &workflow]);
    match gh.env("GH_PROMPT_DISABLED", "1").stdin(Stdio::null()).output() {
        Err(_) => skipped(
            NAME,
            format!(
                "GitHub's command gh is not installed; it would be asked: gh attestation verify {image} --repo {slug}"
            ),
        ),
        Ok(output) if output.status.success() => check(NAME, true, format!("{slug}'s workflow built {digest}")),
        Ok(output) => check(NAME, false, format!("gh says: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
