//! What the proofs use to look at the loop and to change it: its kubectl, its git, its registry.
//!
//! The proofs themselves are in `tests/proofs/`, one file a subject.

pub mod application;
pub mod browser;
pub mod client;
pub mod cluster;
pub mod companion;
pub mod contract;
pub mod extras;
pub mod faults;
pub mod images;
pub mod load;
pub mod machine;
pub mod repetitions;
pub mod report;
pub mod repository;
pub mod runs;
pub mod service;
pub mod shell;
pub mod wait;
pub mod walk;
pub mod watch;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The names that the manifests of the project use.
pub const NAMESPACE: &str = "argo-rust";
pub const DEPLOYMENT: &str = "argo-rust";
pub const APPLICATION: &str = "argo-rust";
pub const IMAGE: &str = "ghcr.io/voloshko/argo-rust";
pub const SERVICE: &str = "http://127.0.0.1:30800";

/// Where `loopctl up` serves the registry and git.
pub const REGISTRY: &str = "10.187.0.1:5000";
pub const GIT: &str = "http://10.187.0.1:3000/voloshko/argo-rust.git";

/// The loop that is up on this machine.
pub struct Loop {
    /// What `loopctl up` made: keys, logs, kubeconfig, links to the pinned programs.
    pub state: PathBuf,
    pub checkout: PathBuf,
}

impl Loop {
    pub fn find() -> Result<Self> {
        let found = Self::place();
        if !found.state.join("kubeconfig").exists() {
            bail!("there is no loop on this machine; `cargo loopctl up` starts one, and `make e2e` does it by itself");
        }
        Ok(found)
    }

    /// Where it is, or would be.
    pub fn place() -> Self {
        let state =
            env::var_os("LOOPCTL_STATE").map_or_else(|| PathBuf::from("/var/lib/argo-rust-loop"), PathBuf::from);
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { state, checkout: package.parent().unwrap_or(package).to_path_buf() }
    }

    /// A program of the loop, at its pinned version.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.state.join("bin").join(name))
    }

    /// What runs a workflow file here.
    pub fn act(&self) -> Result<PathBuf> {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
        let cache = cache.unwrap_or_default().join("argo-rust-loop");
        let folders = std::fs::read_dir(&cache).with_context(|| format!("cannot look into {}", cache.display()))?;
        let found = folders.flatten().map(|folder| folder.path().join("bin/act")).find(|act| act.is_file());
        found.with_context(|| format!("there is no act in {}", cache.display()))
    }

    pub fn log(&self, part: &str) -> PathBuf {
        self.state.join("logs").join(format!("{part}.log"))
    }

    /// As README has it typed; cargo then looks first whether there is anything to compile.
    pub fn loopctl_as_typed(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.checkout).args(["run", "--quiet", "--locked", "--manifest-path", "loopctl/Cargo.toml"]);
        cargo.arg("--");
        cargo
    }

    /// As `make e2e` has built it: to ask cargo each time would take as long as most answers.
    pub fn loopctl(&self) -> Command {
        let mut loopctl = Command::new(target(&self.checkout, "loopctl").join("debug/loopctl"));
        loopctl.current_dir(&self.checkout);
        loopctl
    }
}

/// Where cargo puts what it compiles for the package in that folder of a checkout.
pub fn target(checkout: &Path, package: &str) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.join(package).join("target"), PathBuf::from)
}
