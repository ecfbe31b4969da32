//! What a kubelet would get: one image, with the credentials of a pull secret and nobody else's.

use anyhow::Result;

use super::{Refusal, Registry, logins, of_secret};
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
        Self::with(image, of_secret(image, pull_secret), stand_in)
    }

    /// `place` is a tag or a digest. Manifest and configuration are pulled; the layers are as readable as those.
    pub async fn pull(&self, place: &str) -> Result<Pulled> {
        let reference = self.at(place)?;
        for (client, auth) in &self.clients {
            match client.pull_manifest_and_config(&reference, auth).await {
                Ok(_) => return Ok(Pulled::Yes),
                Err(error) => match Refusal::of(&error, reference.resolve_registry(), &self.image) {
                    Refusal::Gone => return Ok(Pulled::Gone),
                    // As the kubelet, which tries each login that fits.
                    Refusal::Login(_) => {}
                    Refusal::Other(error) => return Err(error),
                },
            }
        }
        Ok(Pulled::Refused("access denied".into()))
    }
}

/// The registries that a docker configuration has credentials for; None when it is not one.
pub fn registries(docker_config: &str) -> Option<Vec<String>> {
    let config: serde_json::Value = serde_json::from_str(docker_config).ok()?;
    Some(config["auths"].as_object()?.keys().cloned().collect())
}

/// The password for an image's registry, for whoever issued it.
pub fn password(docker_config: &str, image: &str) -> Option<String> {
    logins::for_image(docker_config, image).into_iter().next().map(|login| login.password)
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
