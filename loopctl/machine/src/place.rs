//! Where the loop keeps its things.

use std::env;
use std::fs;
use std::io::{ErrorKind, Read};
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use super::builds::Builds;
use super::parts;
use super::private::{private_folder, write_private};
use super::repository::Repository;
use super::state;

/// Unless `LOOPCTL_STATE` names another folder.
pub const STATE: &str = "/var/lib/argo-rust-loop";

pub struct Place {
    /// What belongs to this cluster and goes with `down`: keys, data, logs.
    pub state: PathBuf,
    /// What takes long to make and does not depend on the cluster: binaries, base images.
    pub cache: PathBuf,
    builds: OnceLock<Builds>,
    repository: OnceLock<Repository>,
}

impl Place {
    /// `LOOPCTL_STATE` and `XDG_CACHE_HOME` move the two folders, for instance onto a larger disk.
    pub fn find() -> Result<Self> {
        let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = state::absolute(&named("LOOPCTL_STATE").unwrap_or_else(|| PathBuf::from(STATE)))?;
        if fs::read_dir(&state).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
            bail!("the loop on this machine belongs to root: put sudo in front");
        }
        let cache = match named("XDG_CACHE_HOME") {
            Some(folder) => folder,
            None => named("HOME").context("HOME is not set; set it, or XDG_CACHE_HOME")?.join(".cache"),
        };
        let cache = state::absolute(&cache)?.join("argo-rust-loop");
        Ok(Self { state, cache, builds: OnceLock::new(), repository: OnceLock::new() })
    }

    /// For tests: both folders below one that vanishes afterwards.
    #[cfg(test)]
    pub fn below(folder: &Path) -> Result<Self> {
        let place = Self { state: folder.join("state"), cache: folder.join("cache"), ..Self::find()? };
        state::claim(&place.state)?;
        Ok(place)
    }

    /// Holds off a second `up` or `down` for as long as the answer is kept.
    pub fn take_turn(&self) -> Result<fs::File> {
        fs::create_dir_all(&self.cache).with_context(|| format!("cannot make {}", self.cache.display()))?;
        let turn = fs::File::open(&self.cache).with_context(|| format!("cannot open {}", self.cache.display()))?;
        flock(&turn, FlockOperation::NonBlockingLockExclusive)
            .context("another `cargo loopctl up` or `down` is at work; wait until it has ended")?;
        Ok(turn)
    }

    /// A password of this cluster: made the first time somebody asks for it, kept in a file that
    /// only root may read, and never printed.
    pub fn secret(&self, name: &str) -> Result<String> {
        let path = self.folder("keys")?.join(name);
        if !path.exists() {
            let mut bytes = [0u8; 24];
            fs::File::open("/dev/urandom")
                .and_then(|mut random| random.read_exact(&mut bytes))
                .context("cannot read /dev/urandom")?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            // Two parts may ask at once: the first file stays, and both read that one.
            let half = path.with_extension(format!("{:?}", std::thread::current().id()));
            write_private(&half, &text)?;
            drop(fs::hard_link(&half, &path));
            fs::remove_file(&half)?;
        }
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// buildah with storage of its own, so that it neither sees nor changes the user's images.
    /// The layers stay in the cache, which is what makes the second image build quick.
    pub fn buildah(&self) -> Result<Command> {
        let mut buildah = Command::new("buildah");
        buildah
            .arg("--root")
            .arg(self.cache.join("images"))
            .arg("--runroot")
            .arg(self.folder("buildah")?)
            .arg("--storage-driver=overlay")
            .env("BUILDAH_ISOLATION", "chroot");
        Ok(buildah)
    }

    /// What can be built, read from `parts/` once.
    pub fn builds(&self) -> Result<&Builds> {
        if let Some(builds) = self.builds.get() {
            return Ok(builds);
        }
        let builds = Builds::read(self)?;
        Ok(self.builds.get_or_init(|| builds))
    }

    /// What this loop delivers.
    pub fn repository(&self) -> Result<&Repository> {
        if let Some(repository) = self.repository.get() {
            return Ok(repository);
        }
        let repository = Repository::find(&self.state)?;
        Ok(self.repository.get_or_init(|| repository))
    }

    /// Where the pinned program of that name is.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        self.builds()?.program(name)
    }

    /// kubectl as this cluster's administrator; the user's own kubeconfig is never looked at.
    pub fn kubectl(&self) -> Result<Command> {
        let mut kubectl = Command::new(self.program("kubectl")?);
        kubectl.arg("--kubeconfig").arg(self.kubeconfig()).env_remove("KUBECONFIG");
        Ok(kubectl)
    }

    /// The folder of pin files and plain configuration of one part.
    pub fn part(&self, name: &str) -> Result<PathBuf> {
        Ok(parts::folder(&self.cache)?.join(name))
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.state.join("logs").join(format!("{name}.log"))
    }

    pub fn keys(&self) -> PathBuf {
        self.state.join("keys")
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.state.join("kubeconfig")
    }

    /// The user's links to the pinned binaries, for `PATH`.
    pub fn bin(&self) -> PathBuf {
        self.state.join("bin")
    }

    /// A folder below the state folder, made when it is not there, open to root only.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let first = name.split('/').next().unwrap_or(name);
        if !state::is_own(first) {
            bail!("{first} is not in the list of what `down` removes");
        }
        let folder = self.state.join(name);
        state::claim(&self.state)?;
        private_folder(&folder)?;
        Ok(folder)
    }

    /// Reads a plain file of `parts/` and puts the values where it says `{{name}}`.
    pub fn fill(&self, part: &str, file: &str, values: &[(&str, &str)]) -> Result<String> {
        let path = self.part(part)?.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fill(&text, values).with_context(|| format!("in {}", path.display()))
    }
}

fn fill(text: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{{{name}}}}}"), value);
    }
    match filled.split_once("{{") {
        None => Ok(filled),
        Some((_, rest)) => {
            let name = rest.split("}}").next().unwrap_or(rest);
            bail!("nothing was given for {{{{{name}}}}}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_replaced_wherever_it_stands() {
        let text = fill("listen = {{address}}:{{port}} # {{address}}", &[("address", "10.0.0.1"), ("port", "80")]);
        assert_eq!(text.expect("both values are given"), "listen = 10.0.0.1:80 # 10.0.0.1");
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error_that_names_it() {
        let error = fill("listen = {{address}}", &[]).expect_err("no value is given");
        assert_eq!(error.to_string(), "nothing was given for {{address}}");
    }
}
