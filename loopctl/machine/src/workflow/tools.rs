//! What the steps of a run find on the machine: programs, folders, variables, and nothing else.
//!
//! act hands its own environment on to every step, so it gets one that was made from scratch.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::runs::Run;
use super::{build_cache, containers};
use crate::addresses::BRIDGE_ADDRESS;
use crate::private::write_private;
use crate::{Place, registry, shell};

/// How this machine reaches the package registries, which is the machine's business, not the
/// workflow's. Variables that carry passwords are not among them.
const NETWORK_VARIABLES: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GOFLAGS",
    "GOTOOLCHAIN",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "NPM_CONFIG_REGISTRY",
];

/// Installs act, at the version and checksum of `parts/workflow/requirements.txt`, once.
pub fn install(place: &Place) -> Result<()> {
    let requirements = place.part("workflow")?.join("requirements.txt");
    let folder = act_folder(place)?;
    if folder.exists() {
        return Ok(());
    }
    let half = folder.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half).with_context(|| format!("cannot remove {}", half.display()))?;
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&half))?;
    shell::run(
        Command::new(half.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "--no-deps",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    fs::rename(&half, &folder).with_context(|| format!("cannot write {}", folder.display()))
}

pub fn act(place: &Place) -> Result<PathBuf> {
    Ok(act_folder(place)?.join("bin/act"))
}

fn act_folder(place: &Place) -> Result<PathBuf> {
    let path = place.part("workflow")?.join("requirements.txt");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let digest: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(place.cache.join(format!("python-{digest}")))
}

/// The environment of a run's steps. Folders below the run's own vanish with it; those in the
/// cache do what a cache action does on GitHub.
pub fn environment(place: &Place, run: &Run) -> Result<BTreeMap<String, String>> {
    let work = run.work();
    let mut variables: BTreeMap<String, String> =
        NETWORK_VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))).collect();
    // The git server and the registry are on this machine: a proxy must not be asked for them.
    for name in ["no_proxy", "NO_PROXY"] {
        let known =
            variables.remove(name).filter(|hosts| !hosts.is_empty()).map(|hosts| hosts + ",").unwrap_or_default();
        variables.insert(name.to_owned(), format!("{known}{BRIDGE_ADDRESS},127.0.0.1,localhost"));
    }
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("HOME", made(&work.join("home"))?);
    set("TMPDIR", made(&work.join("tmp"))?);
    set("PATH", path(place)?);
    set("LANG", "C.UTF-8".into());
    // act gives the steps a terminal, as GitHub does not: nobody is there to turn pages.
    set("TERM", "dumb".into());
    set("PAGER", "cat".into());
    set("GIT_PAGER", "cat".into());
    set("GIT_TERMINAL_PROMPT", "0".into());

    set("CARGO_HOME", cargo_home(place)?);
    set("CARGO_TARGET_DIR", build_cache::folder(place, run).display().to_string());
    for (name, value) in build_cache::SETTINGS {
        set(name, value.into());
    }
    set("GOPATH", made(&place.cache.join("workflow/go"))?);
    set("GOCACHE", made(&place.cache.join("workflow/go-build"))?);
    set("PIP_CACHE_DIR", made(&place.cache.join("workflow/pip"))?);

    for (name, value) in containers::settings(place)? {
        set(name, value);
    }
    let logins = work.join("registry-logins.json");
    write_private(&logins, "{}")?;
    set("REGISTRY_AUTH_FILE", logins.display().to_string());

    set("LOOP_REGISTRY", registry::address());
    set("LOOP_REGISTRY_USER", run.registry_user());
    set("LOOP_RUN", run.folder.display().to_string());
    set("ACT_DISABLE_VERSION_CHECK", "1".into());
    Ok(variables)
}

/// What GitHub's machines have installed too: docker, cargo, go, python and the system's own.
fn path(place: &Place) -> Result<String> {
    let mut folders = vec![containers::programs(place)?];
    // The real folders, not those of rustup or pyenv, whose programs need the user's home.
    for (command, arguments, below) in [
        ("rustc", ["--print", "sysroot"], "bin"),
        ("go", ["env", "GOROOT"], "bin"),
        ("python3", ["-c", "import sys; print(sys.base_prefix)"], "bin"),
        ("node", ["--print", "require('path').dirname(process.execPath)"], ""),
    ] {
        if shell::has(command) {
            folders.push(Path::new(shell::run(Command::new(command).args(arguments))?.trim()).join(below));
        }
    }
    folders.extend(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from));
    Ok(env::join_paths(folders).context("a folder of programs has a colon in its name")?.to_string_lossy().into_owned())
}

/// Crates are fetched once for all runs, from wherever this machine's own cargo fetches them.
fn cargo_home(place: &Place) -> Result<String> {
    let own = place.cache.join("workflow/cargo");
    let made = made(&own)?;
    let users = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let config = users.map(|folder| folder.join("config.toml")).filter(|config| config.exists());
    if let Some(config) = config {
        fs::copy(&config, own.join("config.toml")).with_context(|| format!("cannot copy {}", config.display()))?;
    }
    Ok(made)
}

fn made(folder: &Path) -> Result<String> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.display().to_string())
}
