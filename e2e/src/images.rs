//! Images for the proofs, made from the one that the loop's own workflow has built.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{IMAGE, Loop, REGISTRY, shell};

impl Loop {
    /// buildah with the settings of the workflow's runs, whose layers and images it therefore knows.
    pub fn buildah(&self) -> Command {
        let mut buildah = Command::new("buildah");
        let settings = |name: &str| self.state.join("workflow").join(name);
        buildah
            .env("CONTAINERS_CONF", settings("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", settings("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", settings("registries.conf"))
            .env("BUILDAH_ISOLATION", "chroot")
            .env("REGISTRY_AUTH_FILE", self.credentials());
        buildah
    }

    pub fn credentials(&self) -> PathBuf {
        self.state.join("keys/registry-credentials.json")
    }

    /// The same program under another tag and another digest: to the cluster it is another image.
    /// `change` is one of buildah's, such as `--label=a=b` or `--env=NAME=VALUE`.
    pub fn variant(&self, of: &str, tag: &str, change: &str) -> Result<()> {
        let container = shell::run(self.buildah().args(["from", "--pull=false", &format!("{IMAGE}:{of}")]))?;
        let container = container.trim();
        let image = format!("{IMAGE}:{tag}");
        shell::run(self.buildah().args(["config", change, container]))?;
        shell::run(self.buildah().args(["commit", "--quiet", "--rm", container, &image]))?;
        let target = format!("docker://{REGISTRY}/{}", image.trim_start_matches("ghcr.io/"));
        shell::run(self.buildah().args(["push", "--quiet", "--tls-verify=false", &image, &target]))?;
        // The registry has it now; the cache of builds outlives this loop and need not.
        shell::run(self.buildah().args(["rmi", &image]))?;
        Ok(())
    }

    /// A tag that no proof has used before, with an image of its own behind it.
    pub fn fresh_tag(&self, of: &str) -> Result<String> {
        let tag = Self::unused_tag()?;
        self.variant(of, &tag, &format!("--label=e2e={tag}"))?;
        Ok(tag)
    }

    /// A tag of the right form that has no image.
    pub fn unused_tag() -> Result<String> {
        use std::io::Read;
        let mut bytes = [0u8; 4];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(format!("sha-{:07x}", u32::from_be_bytes(bytes) >> 4))
    }

    /// The manifest that the registry has for the tag.
    pub fn manifest(&self, tag: &str) -> Result<Value> {
        let image = format!("docker://{REGISTRY}/{}:{tag}", IMAGE.trim_start_matches("ghcr.io/"));
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["inspect", "--raw", "--tls-verify=false", "--authfile"]).arg(self.credentials()).arg(image);
        serde_json::from_str(&shell::run(&mut skopeo)?).context("the image's manifest")
    }
}
