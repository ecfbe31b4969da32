//! Gives the cluster's registry the images that Kubernetes and Argo CD pull, under their real names.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::addresses::{BRIDGE_ADDRESS, REGISTRY_PORT, REGISTRY_USER};
use super::private::write_private;
use super::{Log, Part, Place, base_images, containerd, shell};

pub struct Images;

/// The name that the sandbox of every pod has in parts/containerd/config.toml.
const PAUSE: &str = "registry.k8s.io/pause:argo-rust-loop";

impl Part for Images {
    fn name(&self) -> &'static str {
        "images"
    }

    fn does(&self) -> &'static str {
        "offers Argo CD's images under their real names"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["registry", "containerd"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["image pause", "image argocd"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let done = done(place);
        if done.exists() {
            return Ok(());
        }
        for (image, tag, name) in wanted(place)? {
            let layout = base_images::layout(place, image)?;
            let (_, path) = name.split_once('/').with_context(|| format!("{name} names no registry"))?;
            shell::run(
                Command::new("skopeo")
                    .args(["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", "--dest-authfile"])
                    .arg(credentials(place)?)
                    .arg(format!("oci:{}:{tag}", layout.display()))
                    .arg(format!("docker://{BRIDGE_ADDRESS}:{REGISTRY_PORT}/{path}")),
            )?;
            // The node unpacks it while the API server still starts; the kubelet then only asks whether it is the newest.
            containerd::pull(place, &name)?;
        }
        fs::write(&done, "").with_context(|| format!("cannot write {}", done.display()))
    }

    fn ready(&self, place: &Place) -> Result<()> {
        if done(place).exists() { Ok(()) } else { bail!("the registry does not have them yet") }
    }

    fn log(&self, _: &Place) -> Log {
        Log::None
    }

    fn stop(&self, place: &Place) -> Result<()> {
        if done(place).exists() {
            fs::remove_file(done(place))?;
        }
        Ok(())
    }
}

fn done(place: &Place) -> std::path::PathBuf {
    place.state.join("images-offered")
}

/// Image and tag in the cache, and its real name.
/// The names are read from Argo CD's manifests, which are applied as they are.
fn wanted(place: &Place) -> Result<Vec<(&'static str, &'static str, String)>> {
    let manifests = fs::read_to_string(place.builds()?.source("argocd")?.join(super::argocd::MANIFESTS))?;
    let mut wanted = vec![("pause", "pause", PAUSE.to_owned())];
    for name in manifests.lines().filter_map(|line| line.trim().strip_prefix("image: ")) {
        let tag = if name.contains("/redis:") { "redis" } else { "argocd" };
        if !wanted.iter().any(|(_, _, known)| known == name) {
            wanted.push(("argocd", tag, name.to_owned()));
        }
    }
    Ok(wanted)
}

/// User and password in a file, because arguments of a command can be read by everybody.
fn credentials(place: &Place) -> Result<std::path::PathBuf> {
    let password = place.secret("registry-password")?;
    let basic = BASE64_STANDARD.encode(format!("{REGISTRY_USER}:{password}"));
    let path = place.keys().join("registry-credentials.json");
    let registry = format!("{BRIDGE_ADDRESS}:{REGISTRY_PORT}");
    write_private(&path, &serde_json::json!({"auths": {registry: {"auth": basic}}}).to_string())?;
    Ok(path)
}
