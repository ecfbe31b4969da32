//! What a kubelet would get: one image, with the credentials of a pull secret and nobody else's.

use anyhow::Result;
use docker_credential::DockerCredential;
use oci_client::secrets::RegistryAuth;

use super::{Registry, explain, is_missing, reference};
use crate::access::NoAccess;
use crate::stand_in::StandIn;

/// Whether an image was pulled.
#[derive(Debug, PartialEq, Eq)]
pub enum Pulled {
    Yes,
    /// The registry has no such image.
    Gone,
    /// The registry wants other credentials.
    Refused(String),
}

impl Registry {
    /// With a pull secret's credentials for the registry in the image's name, or as anybody.
    pub fn as_kubelet(image: &str, pull_secret: Option<&str>, stand_in: Option<&StandIn>) -> Result<Self> {
        let host = reference(&format!("{image}:latest"))?.registry().to_owned();
        let found =
            pull_secret.and_then(|secret| docker_credential::get_credential_from_reader(secret.as_bytes(), &host).ok());
        let auth = match found {
            Some(DockerCredential::UsernamePassword(user, password)) => RegistryAuth::Basic(user, password),
            Some(DockerCredential::IdentityToken(token)) => RegistryAuth::Bearer(token),
            None => RegistryAuth::Anonymous,
        };
        Ok(Self { auth, ..Self::of(image, None, stand_in)? })
    }

    /// `place` is a tag or a digest. Manifest and configuration are pulled; the layers are as readable as those.
    pub async fn pull(&self, place: &str) -> Result<Pulled> {
        let separator = if place.contains(':') { '@' } else { ':' };
        let mut reference = reference(&format!("{}{separator}{place}", self.image))?;
        if let Some(mirror) = &self.mirror {
            reference.set_mirror_registry(mirror.clone());
        }
        match self.client.pull_manifest_and_config(&reference, &self.auth).await {
            Ok(_) => Ok(Pulled::Yes),
            Err(error) if is_missing(&error) => Ok(Pulled::Gone),
            Err(error) => {
                let error = explain(&error, reference.resolve_registry(), &self.image);
                // One that cannot be reached says nothing about the credentials.
                let refused =
                    error.chain().any(|cause| cause.is::<NoAccess>()) && !format!("{error:#}").contains("cannot reach");
                if refused { Ok(Pulled::Refused("access denied".into())) } else { Err(error) }
            }
        }
    }
}

/// The registries that a docker configuration has credentials for; None when it is not one.
pub fn registries(docker_config: &str) -> Option<Vec<String>> {
    let config: serde_json::Value = serde_json::from_str(docker_config).ok()?;
    Some(config["auths"].as_object()?.keys().cloned().collect())
}

/// The password for a registry, for whoever issued it.
pub fn password(docker_config: &str, host: &str) -> Option<String> {
    match docker_credential::get_credential_from_reader(docker_config.as_bytes(), host).ok()? {
        DockerCredential::UsernamePassword(_, password) => Some(password),
        DockerCredential::IdentityToken(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registries_of_a_docker_configuration_are_its_entries() {
        let check = |config: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|hosts| hosts.iter().map(|host| (*host).to_owned()).collect());
            assert_eq!(registries(config), expected, "{config}");
        };
        check(r#"{"auths":{"ghcr.io":{"auth":"YTpi"}}}"#, Some(&["ghcr.io"]));
        check(r#"{"auths":{}}"#, Some(&[]));
        check(r#"{"ghcr.io":{}}"#, None);
        check("ghcr.io", None);
    }
}
