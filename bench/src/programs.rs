//! Builds what is measured.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The service as it is shipped.
pub fn service(repository: &Path) -> Result<PathBuf> {
    one(build(&repository.join("Cargo.toml"), &["--release"])?, "argo-rust")
}

/// The programs in `src/bin`, by name.
pub fn peers(bench: &Path) -> Result<HashMap<String, PathBuf>> {
    build(&bench.join("Cargo.toml"), &["--bins", "--release"])
}

/// Cargo itself says where it has put each program, whatever the target folder is.
pub fn build(manifest: &Path, arguments: &[&str]) -> Result<HashMap<String, PathBuf>> {
    eprintln!("building {} {}", manifest.display(), arguments.join(" "));
    let mut command = Command::new("cargo");
    command.args(["build", "--locked", "--message-format=json-render-diagnostics", "--manifest-path"]).arg(manifest);
    let output = command.args(arguments).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
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
