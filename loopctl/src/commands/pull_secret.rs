//! `loopctl pull-secret`: the login with which the cluster pulls the service's image.

use std::io::{IsTerminal, Read, stdin};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use crate::commands::service::delivered_by::image_of;
use crate::output::{Answer, Output};
use crate::target::{Target, block_on};
use delivery::cluster::secret::Renewed;
use delivery::coordinates::{Coordinates, place_of};
use delivery::registry::logins::Login;
use delivery::registry::{Registry, host_of};
use delivery::stand_in;
use delivery::tfvars::Tfvars;

/// The variable that `loopctl` takes a registry's token from in all its commands.
const TOKEN: &str = "LOOPCTL_REGISTRY_TOKEN";

/// Make or renew the secret with which the service's image is pulled
///
/// The token is read from standard input, or from LOOPCTL_REGISTRY_TOKEN when that is set; on a
/// terminal it is asked for and not shown. It needs read:packages and nothing else, and is tried on
/// the image first. It is stored in the cluster alone. Logins of other registries in the secret
/// stay; the right to create and patch it is enough.
#[derive(Args)]
pub struct Options {
    /// Whose token it is [default: the repository's owner]
    #[arg(long, value_name = "NAME", env = "LOOPCTL_REGISTRY_USER", hide_env_values = true)]
    username: Option<String>,
    /// What the secret is called [default: what tofu/terraform.tfvars says for the namespace]
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// Store the token without trying it on the registry
    #[arg(long)]
    no_check: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Stored {
    secret: String,
    namespace: String,
    registry: String,
    username: String,
    /// Whether there was a secret of that name before.
    renewed: bool,
    /// The other registries whose logins were left in it.
    kept: Vec<String>,
    /// The image that the token was tried on; None with --no-check.
    tried_on: Option<String>,
    /// Whether the registry has that image yet.
    image_exists: Option<bool>,
}

impl Answer for Stored {
    fn text(&self) -> String {
        let Self { secret, namespace, registry, username, renewed, kept, tried_on, image_exists } = self;
        let tried = match (tried_on, image_exists) {
            (Some(image), Some(true)) => format!("The token pulls {image}."),
            (Some(image), _) => format!("The registry takes the token; {image} is not there yet."),
            _ => "The token was not tried (--no-check).".to_owned(),
        };
        let done = if *renewed { "Renewed" } else { "Made" };
        let kept = if kept.is_empty() { String::new() } else { format!("Its login for {} stays.\n", kept.join(", ")) };
        format!(
            "{tried}\n{done} the secret {secret} in the namespace {namespace}: {registry} as {username}.\n{kept}\
             Pods that wait for their image start by themselves within five minutes."
        )
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let coordinates = options.target.choice().coordinates()?;
    let wanted = Wanted::of(&coordinates, options.secret.as_deref())?;
    let username = match &options.username {
        Some(name) => name.clone(),
        None => coordinates.slug.split('/').next().unwrap_or_default().to_owned(),
    };
    if username.is_empty() || username.contains([':', '\n']) {
        bail!("--username must be the name of an account, without ':'");
    }
    let token = token()?;
    let stored = block_on(store(options, &coordinates, wanted, username, &token))?;
    options.output.print(&stored)?;
    Ok(ExitCode::SUCCESS)
}

/// The image that the namespace's pods pull, and the secret that they name.
struct Wanted {
    image: String,
    secret: String,
}

impl Wanted {
    fn of(coordinates: &Coordinates, secret: Option<&str>) -> Result<Self> {
        let tfvars = Tfvars::read(&coordinates.folder)?;
        let namespace = &coordinates.namespace;
        let services = || tfvars.services().iter().filter(|(_, service)| service.namespace == *namespace);
        let named =
            |service: &delivery::tfvars::Service| secret.is_none_or(|secret| service.image_pull_secret == secret);
        let found = services().find(|(_, service)| !service.image_pull_secret.is_empty() && named(service));
        let Some((name, service)) = found else {
            if services().next().is_some() {
                bail!("no service in the namespace {namespace} names such a pull secret in {}", delivery::tfvars::FILE);
            }
            bail!(
                "{} has no service in the namespace {namespace}; --namespace chooses another",
                delivery::tfvars::FILE
            );
        };
        Ok(Self { image: image_of(coordinates, name, service)?, secret: service.image_pull_secret.clone() })
    }
}

async fn store(
    options: &Options,
    coordinates: &Coordinates,
    wanted: Wanted,
    username: String,
    token: &str,
) -> Result<Stored> {
    let Wanted { image, secret } = wanted;
    let namespace = coordinates.namespace.clone();
    let cluster = options.target.choice().cluster().await?;
    // Who may write the secret need not be allowed to see the namespace: the write will tell.
    if !cluster.namespace_exists(&namespace).await.unwrap_or(true) {
        bail!("the namespace {namespace} does not exist yet: apply its manifest, or `tofu apply`, then run this again");
    }
    let image_exists = if options.no_check {
        None
    } else {
        let (name, tag) = place_of(&image);
        let registry = Registry::as_user(&name, &username, token, stand_in::of(&cluster.server).as_ref())?;
        let digest = registry.digest(&tag).await.with_context(|| {
            format!(
                "the token was not stored: it has to be {username}'s and needs read:packages for {name} (--no-check \
                 stores it untried)"
            )
        })?;
        Some(digest.is_some())
    };
    let registry = host_of(&image)?;
    let login = Login { username: username.clone(), password: token.to_owned() };
    let Renewed { was_there, kept } = cluster.renew_pull_secret(&namespace, &secret, &registry, &login).await?;
    let tried_on = image_exists.map(|_| image);
    Ok(Stored { secret, namespace, registry, username, renewed: was_there, kept, tried_on, image_exists })
}

/// Never from an argument: those can be read by everybody on the machine.
fn token() -> Result<String> {
    let given = match std::env::var(TOKEN) {
        Ok(token) if !token.is_empty() => token,
        _ if stdin().is_terminal() => {
            rpassword::prompt_password("Token with read:packages: ").context("the terminal gives no token")?
        }
        _ => {
            let mut text = String::new();
            // Whoever pipes a whole file by mistake is told, not waited for.
            stdin().take(64 * 1024).read_to_string(&mut text).context("standard input gives no token")?;
            text
        }
    };
    let token = given.trim();
    if token.is_empty() {
        bail!("there is no token: pipe it in, or set {TOKEN}");
    }
    if token.contains(char::is_whitespace) {
        bail!("a token is one word; what was given has several");
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespaces_service_says_which_image_and_which_secret() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut coordinates = Coordinates::read(root).unwrap();
        let own = Wanted::of(&coordinates, None).unwrap();
        assert_eq!(own.image, coordinates.image_of(&coordinates.tag));
        assert_eq!([own.secret], *coordinates.pull_secrets);
        assert!(Wanted::of(&coordinates, Some("other")).is_err());
        coordinates.namespace = "nowhere".into();
        let error = Wanted::of(&coordinates, None).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("--namespace chooses another"), "{error}");
    }
}
