//! The images that others are built on, made from Debian's packages and kept in the cache.
//!
//! They carry the names under which a registry would offer them: a Dockerfile or a manifest that
//! names `debian:bookworm-slim` finds this one, and nothing has to be edited for the local loop.

mod parts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{Place, shell};
use parts::{build, commit, container_from_tar, copy, debian, from_tar, keep, name};

/// What the service's Dockerfile runs on.
const SERVICE_BASE: &str = "docker.io/library/debian:bookworm-slim";
/// What the service's Dockerfile builds on.
const RUST: &str = "docker.io/library/rust:1-slim";
/// What parts/argocd/Containerfile begins with; it is the Redis of Argo CD too.
const ARGOCD_BASE: &str = "localhost/argo-rust-loop/argocd-base";
const ARGOCD_BASE_SETTINGS: &[&str] = &["--entrypoint", "[\"redis-server\"]", "--user", "999"];
const ARGOCD_PACKAGES: &str = "ca-certificates,git,gpg,gpg-agent,openssh-client,redis-server,tini,tzdata";
const RUST_PACKAGES: &str = "ca-certificates,gcc,libc6-dev";
const SUITE: &str = "bookworm";

/// One image to make: what `up` calls it, and what it is made from.
pub struct Image {
    pub name: &'static str,
    pub does: &'static str,
    /// What has to be there before, as for a part.
    pub made_of: &'static [&'static str],
    make: fn(&Place) -> Result<()>,
    /// Whatever would make another image of it.
    inputs: fn(&Place) -> Result<String>,
}

/// In the order in which they are needed; each waits for the one before it.
pub const ALL: &[Image] = &[
    Image {
        name: "debian",
        does: "the base of the service's image",
        made_of: &[],
        make: make_service_base,
        inputs: debian_inputs,
    },
    Image {
        name: "rust",
        does: "the base that the service is compiled on",
        made_of: &[],
        make: make_rust,
        inputs: rust_inputs,
    },
    Image {
        name: "argocd-base",
        does: "Redis, and what Argo CD calls",
        made_of: &[],
        make: make_argocd_base,
        inputs: argocd_base_inputs,
    },
    Image {
        name: "pause",
        does: "holds a pod's network",
        made_of: &["program pause"],
        make: make_pause,
        inputs: pause_inputs,
    },
    Image { name: "argocd", does: "Argo CD", made_of: &["program argocd"], make: make_argocd, inputs: argocd_inputs },
];

impl Image {
    /// Makes it unless it is there; true when it was made.
    pub fn make(&self, place: &Place) -> Result<bool> {
        let made = self.mark(place)?;
        if made.exists() {
            return Ok(false);
        }
        (self.make)(place).with_context(|| format!("cannot make the image {}", self.name))?;
        fs::write(&made, "").with_context(|| format!("cannot write {}", made.display()))?;
        Ok(true)
    }

    fn mark(&self, place: &Place) -> Result<PathBuf> {
        let folder = place.cache.join("images-made");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder.join(format!("{}-{}", self.name, digest(&(self.inputs)(place)?))))
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Where the images that the cluster pulls are kept, ready to be given to its registry.
/// The name carries what they were made from, so that another version is another folder.
pub fn layout(place: &Place, image: &str) -> Result<PathBuf> {
    let image = ALL.iter().find(|known| known.name == image).with_context(|| format!("no image is called {image}"))?;
    Ok(place.cache.join("cluster-images").join(format!("{}-{}", image.name, digest(&(image.inputs)(place)?))))
}

/// The settings that the real slim image was made with as well.
fn debian_inputs(place: &Place) -> Result<String> {
    let folder = place.part("images")?;
    Ok(format!(
        "{SUITE} {}{}",
        fs::read_to_string(folder.join("dpkg.cfg"))?,
        fs::read_to_string(folder.join("apt.conf"))?
    ))
}

fn make_service_base(place: &Place) -> Result<()> {
    let root = debian(place, "debian", "")?;
    let image = from_tar(place, &root, &["--cmd", "bash"])?;
    name(place, &image, SERVICE_BASE)
}

/// What the machine's cargo trusts and where it looks: inside an image build it must be the same.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

fn rust_inputs(place: &Place) -> Result<String> {
    let toolchain = shell::run(Command::new("rustc").arg("--version").arg("--verbose"))?;
    let authorities = fs::read_to_string(AUTHORITIES).unwrap_or_default();
    let settings = cargo_settings().map(fs::read_to_string).transpose()?.unwrap_or_default();
    Ok(format!("{RUST_PACKAGES} {toolchain}{authorities}{settings}{}", debian_inputs(place)?))
}

/// Another source of crates, for instance; never the file beside it that holds passwords.
fn cargo_settings() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("config.toml")).filter(|path| path.exists())
}

/// The machine's own toolchain, so that the local loop compiles with what the developer compiles with.
fn make_rust(place: &Place) -> Result<()> {
    let toolchain = PathBuf::from(shell::run(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
    let root = debian(place, "rust", RUST_PACKAGES)?;
    let container = container_from_tar(place, &root)?;
    let mounted = PathBuf::from(shell::run(place.buildah()?.args(["mount", &container]))?.trim());
    // The documentation is most of a toolchain's files, and a build needs none of it.
    copy(&toolchain, &mounted.join("usr/local"), &["--exclude=./share", "--exclude=./lib/rustlib/src"])?;
    if Path::new(AUTHORITIES).exists() {
        fs::copy(AUTHORITIES, mounted.join(&AUTHORITIES[1..])).context("cannot pass on the certificate authorities")?;
    }
    let cargo = mounted.join("usr/local/cargo");
    fs::create_dir_all(&cargo)?;
    if let Some(settings) = cargo_settings() {
        fs::copy(settings, cargo.join("config.toml")).context("cannot pass on cargo's settings")?;
    }
    let image = commit(place, &container, &["--env", "CARGO_HOME=/usr/local/cargo", "--cmd", "bash"])?;
    name(place, &image, RUST)
}

fn pause_inputs(place: &Place) -> Result<String> {
    let file = fs::read_to_string(place.part("pause")?.join("Containerfile"))?;
    Ok(format!("{} {file}", place.builds()?.identity("pause")?))
}

fn make_pause(place: &Place) -> Result<()> {
    let context = place.cache.join("image-parts/pause");
    fs::create_dir_all(&context)?;
    fs::copy(place.program("pause")?, context.join("pause")).context("the pause program is not built yet")?;
    let image = build(place, "pause", &context)?;
    keep(place, "pause", &[(&image, "pause")])
}

fn argocd_base_inputs(place: &Place) -> Result<String> {
    Ok(format!("{ARGOCD_PACKAGES} {} {}", ARGOCD_BASE_SETTINGS.join(" "), debian_inputs(place)?))
}

/// One Debian for both, so that the node unpacks it once.
fn make_argocd_base(place: &Place) -> Result<()> {
    let root = debian(place, "argocd", ARGOCD_PACKAGES)?;
    let image = from_tar(place, &root, ARGOCD_BASE_SETTINGS)?;
    name(place, &image, ARGOCD_BASE)
}

fn argocd_inputs(place: &Place) -> Result<String> {
    let file = fs::read_to_string(place.part("argocd")?.join("Containerfile"))?;
    Ok(format!("{} {file}{}", place.builds()?.identity("argocd")?, argocd_base_inputs(place)?))
}

fn make_argocd(place: &Place) -> Result<()> {
    let context = place.cache.join("image-parts/argocd");
    fs::create_dir_all(&context)?;
    let source = place.builds()?.source("argocd")?;
    for script in ["entrypoint.sh", "hack/gpg-wrapper.sh", "hack/git-verify-wrapper.sh"] {
        let from = source.join(script);
        let to = context.join(Path::new(script).file_name().context("a script has a name")?);
        // The module cache is read-only, and a copy would be so too and could not be renewed.
        if to.exists() {
            fs::remove_file(&to)?;
        }
        fs::copy(&from, &to).with_context(|| format!("Argo CD's module has no {}", from.display()))?;
    }
    fs::copy(place.program("argocd")?, context.join("argocd")).context("Argo CD is not built yet")?;
    let argocd = build(place, "argocd", &context)?;
    keep(place, "argocd", &[(&argocd, "argocd"), (ARGOCD_BASE, "redis")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_dockerfile_begins_with_is_made() {
        let place = Place::find().expect("the tests run with a home folder");
        let dockerfile =
            fs::read_to_string(place.repository().expect("the tests run in a checkout").checkout.join("Dockerfile"))
                .expect("the Dockerfile is there");
        let named: Vec<&str> =
            dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")?.split_whitespace().next()).collect();
        assert_eq!(named.len(), 2, "the Dockerfile has another number of stages: {named:?}");
        for name in named {
            let full = format!("docker.io/library/{}", name.split('@').next().unwrap_or(name));
            assert!([SERVICE_BASE, RUST].contains(&full.as_str()), "base_images.rs makes no {full}");
        }
    }

    #[test]
    fn the_same_inputs_are_the_same_folder_and_others_another() {
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("b"));
        assert_eq!(digest("a").len(), 12);
    }
}
