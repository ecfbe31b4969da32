//! Builds what is measured.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The service as it is shipped: with the flags that the image is built with.
pub fn service(repository: &Path) -> Result<PathBuf> {
    let dockerfile = fs::read_to_string(repository.join("Dockerfile")).context("cannot read Dockerfile")?;
    let flags = dockerfile.lines().find_map(|line| line.strip_prefix("ENV RUSTFLAGS="));
    let flags = flags.context("Dockerfile sets no RUSTFLAGS")?.trim_matches('"');
    let mut cargo = Command::new("cargo");
    one(build_by(cargo.env("RUSTFLAGS", flags), &repository.join("Cargo.toml"), &["--release"])?, "argo-rust")
}

/// The programs in `src/bin`, by name.
pub fn peers(bench: &Path) -> Result<HashMap<String, PathBuf>> {
    build(&bench.join("Cargo.toml"), &["--bins", "--release"])
}

pub fn build(manifest: &Path, arguments: &[&str]) -> Result<HashMap<String, PathBuf>> {
    build_by(&mut Command::new("cargo"), manifest, arguments)
}

/// Cargo itself says where it has put each program, whatever the target folder is.
fn build_by(cargo: &mut Command, manifest: &Path, arguments: &[&str]) -> Result<HashMap<String, PathBuf>> {
    eprintln!("building {} {}", manifest.display(), arguments.join(" "));
    cargo.args(["build", "--locked", "--message-format=json-render-diagnostics", "--manifest-path"]).arg(manifest);
    let output = cargo.args(arguments).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo build failed for {}", manifest.display());
    let messages = String::from_utf8(output.stdout)?;
    let programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(message["executable"].as_str()?)))
    });
    Ok(programs.collect())
}

pub fn one(mut programs: HashMap<String, PathBuf>, name: &str) -> Result<PathBuf> {
    programs.remove(name).with_context(|| format!("cargo built no program {name}"))
}
