//! The registry: the only place that knows OCI.

pub mod pull;
pub mod token;

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use docker_credential::DockerCredential;
use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError as Error, OciErrorCode};
use oci_client::secrets::RegistryAuth;

use crate::access::NoAccess;
use crate::stand_in::StandIn;
use crate::tls;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);

/// The registry that has one repository of images.
pub struct Registry {
    client: Client,
    auth: RegistryAuth,
    /// The image's name, without tag or digest.
    image: String,
    mirror: Option<String>,
}

impl Registry {
    /// `pull_secret` is the docker configuration of the cluster's pull secret, if it could be read.
    pub fn of(image: &str, pull_secret: Option<&str>, stand_in: Option<&StandIn>) -> Result<Self> {
        tls::provide();
        let mirror = stand_in.map(|stand_in| stand_in.registry.clone());
        let host = match &mirror {
            Some(mirror) => mirror.clone(),
            None => reference(&format!("{image}:latest"))?.registry().to_owned(),
        };
        let auth = match stand_in {
            Some(stand_in) => {
                let password = std::fs::read_to_string(&stand_in.registry_password)
                    .map_err(|error| NoAccess(format!("cannot read the password of the loop's registry: {error}")))?;
                RegistryAuth::Basic(stand_in.registry_user.clone(), password.trim().to_owned())
            }
            None => credentials(&host, pull_secret),
        };
        let config = ClientConfig {
            protocol: if stand_in.is_some() || is_on_this_machine(&host) {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            connect_timeout: Some(CONNECT),
            read_timeout: Some(ANSWER),
            ..Default::default()
        };
        let client = Client::try_from(config).context("cannot make a client for the registry")?;
        Ok(Self { client, auth, image: image.to_owned(), mirror })
    }

    /// As somebody else than who runs this, to find out what that login may do.
    pub fn as_user(image: &str, user: &str, token: &str, stand_in: Option<&StandIn>) -> Result<Self> {
        let auth = RegistryAuth::Basic(user.to_owned(), token.to_owned());
        Ok(Self { auth, ..Self::of(image, None, stand_in)? })
    }

    /// The digest behind a tag; None when there is no such image.
    pub async fn digest(&self, tag: &str) -> Result<Option<String>> {
        let mut reference = reference(&format!("{}:{tag}", self.image))?;
        if let Some(mirror) = &self.mirror {
            reference.set_mirror_registry(mirror.clone());
        }
        match self.client.fetch_manifest_digest(&reference, &self.auth).await {
            Ok(digest) => Ok(Some(digest)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(explain(&error, reference.resolve_registry(), &self.image)),
        }
    }
}

fn reference(image: &str) -> Result<Reference> {
    image.parse().with_context(|| format!("{image} is not the name of an image"))
}

/// The registry that an image is pulled from.
pub fn host_of(image: &str) -> Result<String> {
    Ok(reference(image)?.registry().to_owned())
}

fn is_missing(error: &Error) -> bool {
    match error {
        Error::ImageManifestNotFoundError(_) => true,
        Error::ServerError { code, .. } => *code == 404,
        Error::RegistryError { envelope, .. } => envelope.errors.iter().any(|error| {
            matches!(error.code, OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound)
        }),
        _ => false,
    }
}

fn explain(error: &Error, host: &str, image: &str) -> anyhow::Error {
    match error {
        Error::UnauthorizedError { .. } | Error::AuthenticationFailure(_) => refused(host, image),
        Error::RegistryError { envelope, .. }
            if envelope
                .errors
                .iter()
                .any(|error| matches!(error.code, OciErrorCode::Denied | OciErrorCode::Unauthorized)) =>
        {
            refused(host, image)
        }
        Error::RequestError(request) => {
            let mut cause: &dyn std::error::Error = request;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            anyhow!(NoAccess(format!("cannot reach the registry {host}: {cause}")))
        }
        error => anyhow!("the registry {host} answers for {image}: {error}"),
    }
}

fn refused(host: &str, image: &str) -> anyhow::Error {
    anyhow!(NoAccess(format!(
        "the registry {host} shows {image} to nobody without the right to it: `docker login {host}` with a token that \
         has read:packages, or set LOOPCTL_REGISTRY_USER and LOOPCTL_REGISTRY_TOKEN"
    )))
}

/// What the environment says goes first, then this person's own login, then the cluster's pull secret.
fn credentials(host: &str, pull_secret: Option<&str>) -> RegistryAuth {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(user), Some(token)) = (variable("LOOPCTL_REGISTRY_USER"), variable("LOOPCTL_REGISTRY_TOKEN")) {
        return RegistryAuth::Basic(user, token);
    }
    let own = docker_credential::get_credential(host).ok();
    let secret = || docker_credential::get_credential_from_reader(pull_secret?.as_bytes(), host).ok();
    match own.or_else(secret) {
        Some(DockerCredential::UsernamePassword(user, password)) => RegistryAuth::Basic(user, password),
        Some(DockerCredential::IdentityToken(token)) => RegistryAuth::Bearer(token),
        None => RegistryAuth::Anonymous,
    }
}

/// Such a registry has no certificate; everything else is asked by HTTPS only.
fn is_on_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name == "localhost" {
        return true;
    }
    name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registry_on_this_machine_is_asked_without_tls() {
        for (host, plain) in
            [("localhost:5000", true), ("127.0.0.1", true), ("ghcr.io", false), ("10.0.0.1:5000", false)]
        {
            assert_eq!(is_on_this_machine(host), plain, "{host}");
        }
    }

    #[test]
    fn the_pull_secret_is_used_for_its_own_registry_alone() {
        let secret = r#"{"auths":{"registry.example":{"auth":"dXNlcjpwYXNz"}}}"#;
        let expected = RegistryAuth::Basic("user".into(), "pass".into());
        assert_eq!(credentials("registry.example", Some(secret)), expected);
        assert_eq!(credentials("other.example", Some(secret)), RegistryAuth::Anonymous);
    }
}
