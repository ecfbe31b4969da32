//! `loopctl board`: every commit of a delivery at a glance, and told to whoever does not look.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::output::say;
use crate::target::{At, Target, block_on};
use board::manifests::{Wanted, manifests};
use board::tell::Tell;
use board::tell::github::GitHub;
use board::tell::webhook::Webhook;
use delivery::Choice;

/// Serve a page that shows every commit by its hops, and tell what changes
///
/// It reads: the cluster with the kubeconfig's account, the branch, the registry. Nothing on the page changes anything.
/// It answers on this machine alone and to its names; --host allows another one, for a proxy of yours. With a token it
/// says on GitHub of each source commit where it is, once for each change, as a status and as a Deployment; with a
/// webhook it says when one is stuck, failed, held, rolled back or mended.
#[derive(Args)]
pub struct Options {
    /// Where the page is served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// A further name that the page may be asked by; may be said more than once
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Show this service as well; may be said more than once [default: all that are built in this repository]
    #[arg(long = "also", value_name = "NAME")]
    also: Vec<String>,
    /// A file with a token for GitHub: statuses and deployments of this repository, to write
    #[arg(long, value_name = "FILE", env = "LOOPCTL_GITHUB_TOKEN_FILE", hide_env_values = true)]
    github_token_file: Option<PathBuf>,
    /// Where GitHub's API is
    #[arg(long, value_name = "URL", default_value = "https://api.github.com")]
    github_api: String,
    /// What the Deployments on GitHub are of [default: the service's name]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    environment: String,
    /// Where one message is posted for each commit that is stuck, failed, held, rolled back or mended
    #[arg(long, value_name = "URL", env = "LOOPCTL_WEBHOOK", hide_env_values = true)]
    webhook: Option<String>,
    /// What the message is
    #[arg(long, value_enum, default_value = "json")]
    webhook_form: Form,
    /// Clone this repository first, for a machine without a checkout
    #[arg(long, value_name = "URL")]
    clone: Option<String>,
    /// Print what runs the board in the cluster, with this image of loopctl, and serve nothing
    #[arg(long, value_name = "IMAGE")]
    manifests: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// `event`, `service`, `text`, and `about`: what `where -o json` says
    Json,
    /// `text` alone, as Slack and those like it take it
    Text,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let clone = options.clone.as_deref().map(cloned).transpose()?;
    let choice = options.target.choice_at(&options.at);
    if let Some(image) = &options.manifests {
        let token = options.github_token_file.as_ref().map(|_| ("board-github", "token"));
        say(&manifests(&choice.coordinates()?, &Wanted { image, token }));
        return Ok(ExitCode::SUCCESS);
    }
    let tell = tell(options)?;
    let services = services(options, &choice)?;
    let board = board::Options { listen: options.listen, hosts: options.host.clone(), services, tell };
    block_on(board::run(board, |address| say(&format!("The board is at http://{address}"))))?;
    drop(clone);
    Ok(ExitCode::SUCCESS)
}

/// The one that was chosen; without a choice the repository's own and all that are built beside it.
fn services(options: &Options, choice: &Choice) -> Result<Vec<Choice>> {
    let mut services = vec![choice.clone()];
    let also = match (&choice.service, options.also.is_empty()) {
        (None, true) => choice.coordinates()?.services_beside()?,
        _ => options.also.clone(),
    };
    services.extend(also.into_iter().map(|name| Choice { service: Some(name), endpoint: None, ..choice.clone() }));
    Ok(services)
}

fn tell(options: &Options) -> Result<Tell> {
    let github = options
        .github_token_file
        .clone()
        .map(|token| GitHub::new(&options.github_api, token, options.environment.clone()));
    let webhook = options.webhook.clone().map(|url| Webhook::new(url, options.webhook_form == Form::Text));
    Ok(Tell { github: github.transpose()?, webhook: webhook.transpose()? })
}

/// In a temporary folder, which becomes the current one and goes with what is returned.
fn cloned(url: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--", url]).arg(folder.path()).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    let _ = std::io::stdout().flush();
    if !git.status().context("cannot run git; install it")?.success() {
        bail!("git cannot clone {url}; what it said stands above");
    }
    std::env::set_current_dir(folder.path()).context("cannot change into the clone")?;
    Ok(folder)
}
