//! `loopctl update`: a repository that began with the template hears what is new in it.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Answer, Output, numbered};
use crate::rendered::{message, rendered};
use delivery::coordinates::Coordinates;
use delivery::git::Git;
use delivery::git::template::{Files, Merged, Rendered};
use template::{Names, Template, is_owned};

/// Merge what is new in the template into this repository
///
/// The template of this loopctl is rendered with the names of your repository, on top of the commit that it was last
/// rendered in, and git merges that: what you have changed stays, and what both have changed is a conflict as git always
/// shows it. `git reset --hard ORIG_HEAD` takes the merge back as long as it is not pushed, `git revert -m 1` afterwards.
///
/// With --check nothing is changed: it says what an update would bring, and which files the template owns and somebody
/// has edited here. Exit code 7 when there is something of either.
#[derive(Args)]
pub struct Options {
    /// Say what would change, and change nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    UpToDate,
    Behind,
    Merged,
    Conflict,
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Updated {
    outcome: Outcome,
    from: String,
    to: String,
    /// What the newer template has otherwise, whoever else has changed it too.
    files: Vec<String>,
    /// Files of the template's that are not as it has them.
    drifted: Vec<String>,
    /// Those that git could not merge.
    conflicts: Vec<String>,
    commit: Option<String>,
}

impl Answer for Updated {
    fn text(&self) -> String {
        let Self { from, to, files, drifted, conflicts, .. } = self;
        let mut text = match self.outcome {
            Outcome::UpToDate => format!("Template {to} has nothing that is not here."),
            Outcome::Behind => {
                format!("Template {to} would change these since {from}; `loopctl update` merges it:\n{}", list(files))
            }
            Outcome::Merged => {
                format!("Merged template {to} (it was {from}):\n{}\n\nNext:\n  1. make test", list(files))
            }
            Outcome::Conflict => {
                let steps = [
                    "solve what stands between <<<<<<< and >>>>>>>, then `git add` each file",
                    "git commit",
                    "make test",
                ];
                let steps = numbered(&steps.map(str::to_owned));
                format!(
                    "Both you and template {to} have changed:\n{}\n\nNext (`git merge --abort` takes all of it back):\n{steps}",
                    list(conflicts)
                )
            }
        };
        if !drifted.is_empty() {
            text += &format!("\n\nEdited here, and the template's to change:\n{}", list(drifted));
        }
        text
    }
}

fn list(paths: &[String]) -> String {
    paths.iter().map(|path| format!("  {path}")).collect::<Vec<_>>().join("\n")
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let git = Git::in_folder(&Coordinates::find()?.folder);
    let (updated, exit) = update(&git, &Template::own(), options.check)?;
    options.output.print(&updated)?;
    Ok(exit.into())
}

fn update(git: &Git, template: &Template, check: bool) -> Result<(Updated, Exit)> {
    git.require_whole()?;
    let before = git.rendered()?.context(
        "no commit of this branch says Template-Version in its message, so it is not known what the template was: only a \
         repository that `loopctl new` has made can be updated",
    )?;
    let names = Names::of_trailer(&before.message).context("the trailer Template-Names cannot be read")?;
    let newer = rendered(template, &names)?;
    let updated = Updated {
        outcome: Outcome::UpToDate,
        from: before.version.clone(),
        to: template.version.clone(),
        files: changed(git, &before, &newer)?,
        drifted: drifted(git, &before)?,
        conflicts: Vec::new(),
        commit: None,
    };
    if updated.files.is_empty() {
        let exit = if updated.drifted.is_empty() || !check { Exit::Done } else { Exit::Findings };
        return Ok((updated, exit));
    }
    if check {
        return Ok((Updated { outcome: Outcome::Behind, ..updated }, Exit::Findings));
    }
    merged(git, &before, &newer, &message(&format!("Template {}", template.version), template, &names), updated)
}

fn merged(git: &Git, before: &Rendered, newer: &Files, message: &str, updated: Updated) -> Result<(Updated, Exit)> {
    let uncommitted = git.uncommitted()?;
    if !uncommitted.is_empty() {
        bail!("commit or stash your changes first, so that the merge can be taken back:\n{}", uncommitted.join("\n"));
    }
    let subject = format!("Merge template {}", updated.to);
    Ok(match git.merge(before, newer, message, &subject)? {
        Merged::Done(commit) => (Updated { outcome: Outcome::Merged, commit: Some(commit), ..updated }, Exit::Done),
        Merged::Conflict(conflicts) => (Updated { outcome: Outcome::Conflict, conflicts, ..updated }, Exit::Failed),
    })
}

/// What the newer rendering has otherwise than the one before.
fn changed(git: &Git, before: &Rendered, newer: &Files) -> Result<Vec<String>> {
    let mut changed: Vec<String> = git.files(&before.commit)?;
    changed.retain(|path| newer.iter().all(|(other, _)| other != path));
    for (path, text) in newer {
        if git.file(&before.commit, path)?.as_ref() != Some(text) {
            changed.push(path.clone());
        }
    }
    changed.sort();
    Ok(changed)
}

fn drifted(git: &Git, before: &Rendered) -> Result<Vec<String>> {
    let mut drifted = git.differing(&before.commit, "HEAD")?;
    drifted.retain(|path| is_owned(path));
    Ok(drifted)
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
