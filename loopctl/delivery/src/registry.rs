//! The registry: the only place that knows OCI.

pub mod logins;
mod own;
pub mod pull;
pub mod token;

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError as Error, OciErrorCode};
use oci_client::manifest::ImageIndexEntry;
use oci_client::secrets::RegistryAuth;
use serde_json::Value;

use crate::access::NoAccess;
use crate::stand_in::StandIn;
use crate::tls;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);

/// The registry that has one repository of images.
pub struct Registry {
    /// One for each login that may be the right one, in the order in which they are tried; never none.
    clients: Vec<(Client, RegistryAuth)>,
    /// The image's name, without tag or digest.
    image: String,
    mirror: Option<String>,
}

impl Registry {
    /// `pull_secret` is the docker configuration of the cluster's pull secret, if it could be read.
    pub fn of(image: &str, pull_secret: Option<&str>, stand_in: Option<&StandIn>) -> Result<Self> {
        let auths = match stand_in {
            Some(stand_in) => {
                let password = std::fs::read_to_string(&stand_in.registry_password)
                    .map_err(|error| NoAccess(format!("cannot read the password of the loop's registry: {error}")))?;
                vec![RegistryAuth::Basic(stand_in.registry_user.clone(), password.trim().to_owned())]
            }
            None => credentials(image, pull_secret),
        };
        Self::with(image, auths, stand_in)
    }

    /// As somebody else than who runs this, to find out what that login may do.
    pub fn as_user(image: &str, user: &str, token: &str, stand_in: Option<&StandIn>) -> Result<Self> {
        Self::with(image, vec![RegistryAuth::Basic(user.to_owned(), token.to_owned())], stand_in)
    }

    fn with(image: &str, mut auths: Vec<RegistryAuth>, stand_in: Option<&StandIn>) -> Result<Self> {
        tls::provide();
        let mirror = stand_in.map(|stand_in| stand_in.registry.clone());
        let host = match &mirror {
            Some(mirror) => mirror.clone(),
            None => reference(image)?.registry().to_owned(),
        };
        let plain = stand_in.is_some() || is_on_this_machine(&host);
        if auths.is_empty() {
            auths.push(RegistryAuth::Anonymous);
        }
        // A client keeps the first login that it was given for a registry.
        let client = |auth| {
            let config = ClientConfig {
                protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
                connect_timeout: Some(CONNECT),
                read_timeout: Some(ANSWER),
                // The image is for the nodes, whatever this runs on.
                platform_resolver: Some(Box::new(of_any_node)),
                ..Default::default()
            };
            Ok((Client::try_from(config).context("cannot make a client for the registry")?, auth))
        };
        let clients = auths.into_iter().map(client).collect::<Result<_>>()?;
        Ok(Self { clients, image: image.to_owned(), mirror })
    }

    /// The digest behind a tag; None when there is no such image.
    pub async fn digest(&self, tag: &str) -> Result<Option<String>> {
        let reference = self.at(tag)?;
        let mut refusal = None;
        for (client, auth) in &self.clients {
            match client.fetch_manifest_digest(&reference, auth).await {
                Ok(digest) => return Ok(Some(digest)),
                Err(error) => match Refusal::of(&error, reference.resolve_registry(), &self.image) {
                    Refusal::Gone => return Ok(None),
                    Refusal::Login(error) => refusal = Some(error),
                    Refusal::Other(error) => return Err(error),
                },
            }
        }
        Err(refusal.unwrap_or_else(|| anyhow!("nobody asked for {}", self.image)))
    }

    /// When the image with that digest was made, as its own configuration says it.
    pub async fn created(&self, digest: &str) -> Result<Option<Timestamp>> {
        let reference = self.at(digest)?;
        for (client, auth) in &self.clients {
            let asked = tokio::time::timeout(ANSWER, client.pull_manifest_and_config(&reference, auth)).await;
            if let Ok(Ok((_, _, configuration))) = asked {
                let configuration: Value = serde_json::from_str(&configuration)?;
                return Ok(configuration["created"]
                    .as_str()
                    .and_then(|created| created.parse().ok())
                    .and_then(to_the_second));
            }
        }
        Ok(None)
    }

    /// `place` is a tag or a digest.
    fn at(&self, place: &str) -> Result<Reference> {
        let separator = if place.contains(':') { '@' } else { ':' };
        let mut reference = reference(&format!("{}{separator}{place}", self.image))?;
        if let Some(mirror) = &self.mirror {
            reference.set_mirror_registry(mirror.clone());
        }
        Ok(reference)
    }
}

/// As git and Kubernetes have it.
fn to_the_second(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second()).ok()
}

/// Attestations stand beside the images, for a platform that nobody has.
fn of_any_node(entries: &[ImageIndexEntry]) -> Option<String> {
    let images =
        || entries.iter().filter(|entry| entry.platform.as_ref().is_none_or(|it| it.os.to_string() != "unknown"));
    let usual = images().find(|entry| {
        entry.platform.as_ref().is_some_and(|it| it.os.to_string() == "linux" && it.architecture.to_string() == "amd64")
    });
    usual.or_else(|| images().next()).map(|entry| entry.digest.clone())
}

fn reference(image: &str) -> Result<Reference> {
    image.parse().with_context(|| format!("{image} is not the name of an image"))
}

/// The registry that an image is pulled from.
pub fn host_of(image: &str) -> Result<String> {
    Ok(reference(image)?.registry().to_owned())
}

/// What it means that there was no image.
enum Refusal {
    /// The registry itself says that it has none: any web server answers 404.
    Gone,
    /// Another login may get it.
    Login(anyhow::Error),
    Other(anyhow::Error),
}

impl Refusal {
    fn of(error: &Error, host: &str, image: &str) -> Self {
        let login = || {
            Self::Login(anyhow!(NoAccess(format!(
                "the registry {host} shows {image} to nobody without the right to it: `docker login {host}` with a \
                 token that has read:packages, or set LOOPCTL_REGISTRY_USER and LOOPCTL_REGISTRY_TOKEN"
            ))))
        };
        let other = |what: String| Self::Other(anyhow!(NoAccess(what)));
        match error {
            Error::UnauthorizedError { .. } | Error::AuthenticationFailure(_) => login(),
            Error::RegistryError { envelope, .. } => {
                let says = |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
                if says(&[OciErrorCode::Denied, OciErrorCode::Unauthorized]) {
                    login()
                } else if says(&[OciErrorCode::ManifestUnknown, OciErrorCode::NameUnknown, OciErrorCode::NotFound]) {
                    Self::Gone
                } else {
                    other(format!("the registry {host} answers for {image}: {envelope}"))
                }
            }
            Error::ServerError { code: code @ (401 | 403 | 404), .. } => other(format!(
                "{host} answers for {image} with HTTP {code} and not in a registry's words, so whether it has the \
                 image is unknown: is a registry there, or a web page in its place?"
            )),
            Error::ServerError { code, .. } => {
                other(format!("the registry {host} answers for {image} with HTTP {code}; it may pass, so try again"))
            }
            Error::RequestError(request) => {
                let mut cause: &dyn std::error::Error = request;
                while let Some(deeper) = cause.source() {
                    cause = deeper;
                }
                other(format!("cannot reach the registry {host}: {cause}"))
            }
            error => Self::Other(anyhow!("the registry {host} answers for {image}: {error}")),
        }
    }
}

/// What the environment says goes first, then this person's own login, then those of the cluster's pull secret.
fn credentials(image: &str, pull_secret: Option<&str>) -> Vec<RegistryAuth> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(user), Some(token)) = (variable("LOOPCTL_REGISTRY_USER"), variable("LOOPCTL_REGISTRY_TOKEN")) {
        return vec![RegistryAuth::Basic(user, token)];
    }
    match own::login(image) {
        Some(own) => vec![own],
        None => of_secret(image, pull_secret),
    }
}

fn of_secret(image: &str, pull_secret: Option<&str>) -> Vec<RegistryAuth> {
    let logins = pull_secret.map(|secret| logins::for_image(secret, image)).unwrap_or_default();
    logins.into_iter().map(|login| RegistryAuth::Basic(login.username, login.password)).collect()
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
    use std::io::{Read, Write};

    use super::*;
    use crate::access::is_refused;

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
        assert_eq!(credentials("registry.example/name", Some(secret)), [expected]);
        assert!(credentials("other.example/name", Some(secret)).is_empty());
    }

    /// A server with one answer to everything.
    async fn digest_of(status: &str, body: &str) -> Result<Option<String>> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let body = body.to_owned();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let mut connection = connection;
                let mut head = [0; 4096];
                let count = connection.read(&mut head).unwrap_or_default();
                let body = if head[..count].starts_with(b"HEAD") { "" } else { body.as_str() };
                let _ = connection.write_all(format!("{answer}{body}").as_bytes());
            }
        });
        Registry::as_user(&format!("{address}/owner/name"), "user", "token", None)?.digest("sha-1234567").await
    }

    #[tokio::test]
    async fn only_a_registry_can_say_that_an_image_is_gone() {
        let page = "<html>404 Not Found</html>";
        let says = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"","detail":null}}]}}"#);
        for code in ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"] {
            assert_eq!(digest_of("404 Not Found", &says(code)).await.expect(code), None, "{code}");
        }
        for (status, body, expected) in [
            ("404 Not Found", page, "whether it has the image is unknown"),
            ("404 Not Found", "", "whether it has the image is unknown"),
            ("404 Not Found", r#"{"message": "no Route matched"}"#, "whether it has the image is unknown"),
            ("403 Forbidden", page, "whether it has the image is unknown"),
            ("503 Service Unavailable", page, "it may pass"),
            ("403 Forbidden", &says("DENIED"), "to nobody without the right to it"),
            ("429 Too Many Requests", &says("TOOMANYREQUESTS"), "answers for"),
        ] {
            let error = digest_of(status, body).await.expect_err(status);
            let text = format!("{error:#}");
            assert!(text.contains(expected) && !text.contains("<html>"), "{status} {body}: {text}");
            assert!(is_refused(&error), "{status} {body}: it ends with no access");
        }
    }
}
