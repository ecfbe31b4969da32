//! Runs other programs and turns their failures into sentences.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs the command to its end and gives back what it wrote to its standard output.
/// A failure carries the last lines the command said, which is where programs put the reason.
pub fn run(command: &mut Command) -> Result<String> {
    let name = name_of(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.trim().is_empty() {
        said = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    bail!("{name} failed ({}): {}", output.status, last_lines(&said, 8));
}

/// As `run`, with `text` as the command's standard input.
pub fn run_with_input(command: &mut Command, text: &str) -> Result<String> {
    let name = name_of(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let mut input = child.stdin.take().context("the input was asked for")?;
    let text = text.to_owned();
    // A thread of its own writes: a command that answers before it has read all would block both.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().with_context(|| format!("cannot wait for {name}"))?;
    drop(writer.join());
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    bail!("{name} failed ({}): {}", output.status, last_lines(&String::from_utf8_lossy(&output.stderr), 8));
}

/// Whether a program of that name can be run.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n  ")
}

/// The program and its first argument: enough to know it by, and never a password further on.
fn name_of(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    match command.get_args().next().map(OsStr::to_string_lossy) {
        Some(argument) if !argument.starts_with('-') => format!("{program} {argument}"),
        _ => program,
    }
}
