//! `loopctl rename`: a clone becomes your own.
//!
//! A name is a word that stands in some hundred places, in three spellings; each place is found by what surrounds the
//! word, and a new name that the repository uses for something else is refused. So every rename can be undone by another.

mod everywhere;
mod host;
mod names;
mod rust;
mod words;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use everywhere::changes;
use names::Names;

use crate::changes::Listed;
use crate::commands::confirm::confirmed;
use crate::commands::progress::say;
use crate::output::{Answer, Output, numbered};
use delivery::coordinates::{Coordinates, slug};
use delivery::git::Git;

/// Put your own names in: owner, name and node address, in every file that has them
///
/// The name is the repository's, the image's, the namespace's, the Deployment's and the program's, and
/// the prefix of its settings. What exists under the old name in a cluster stays there. Names of the
/// loop on one machine stay as they are, as its cache of built programs does.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    wanted: Wanted,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Show the diff and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Wanted {
    /// Who owns the repository on GitHub and the image on ghcr.io
    #[arg(long, value_parser = names::owner)]
    owner: Option<String>,
    /// What the repository, the image and the service are called
    #[arg(long, value_parser = names::name)]
    name: Option<String>,
    /// Where the documents and `tofu output` say that the node is reached
    #[arg(long, value_parser = names::host)]
    host: Option<String>,
}

impl Wanted {
    fn instead_of(&self, from: &Names) -> Names {
        Names {
            owner: self.owner.clone().unwrap_or_else(|| from.owner.clone()),
            name: self.name.clone().unwrap_or_else(|| from.name.clone()),
            host: self.host.clone().or_else(|| from.host.clone()),
            node_port: from.node_port,
        }
    }
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Renamed {
    owner: String,
    name: String,
    host: Option<String>,
    files: Vec<Listed>,
    written: bool,
    next: Vec<String>,
    #[serde(skip)]
    remark: String,
}

impl Answer for Renamed {
    fn text(&self) -> String {
        let Self { owner, name, files, written, next, remark, .. } = self;
        match (files.is_empty(), written) {
            (true, _) => format!("This is {owner}/{name} already: nothing to do."),
            (false, false) => format!("\n{} files would become {owner}/{name}. Nothing was written.", files.len()),
            (false, true) => format!("\nWrote {} files.\n\nNext:\n{}\n{remark}", files.len(), numbered(next)),
        }
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let coordinates = Coordinates::find()?;
    let git = Git::in_folder(&coordinates.folder);
    let from = Names::of(&coordinates)?;
    let to = options.wanted.instead_of(&from);
    let changes = changes(&coordinates.folder, &git, &from, &to)?;
    let mut answer = Renamed {
        owner: to.owner.clone(),
        name: to.name.clone(),
        host: to.host.clone(),
        files: changes.list(),
        written: false,
        next: next_steps(&git, &to)?,
        remark: remark(&coordinates.folder),
    };
    if changes.is_empty() {
        options.output.print(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let uncommitted = git.uncommitted()?;
    if !uncommitted.is_empty() && !options.dry_run {
        bail!(
            "commit or stash your changes first, so that `git restore .` can take a rename back:\n{}",
            uncommitted.join("\n")
        );
    }
    if !options.output.is_json() {
        say(changes.diff().trim_end());
    }
    let question =
        format!("Turn {}/{} into {}/{} in {} files?", from.owner, from.name, to.owner, to.name, answer.files.len());
    if !options.dry_run && confirmed(&question, options.yes)? {
        changes.write()?;
        answer.written = true;
    }
    options.output.print(&answer)?;
    Ok(if answer.written || options.dry_run { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn next_steps(git: &Git, to: &Names) -> Result<Vec<String>> {
    let address = format!("{}/{}", to.owner, to.name);
    let mut steps = vec!["make test".to_owned(), format!("git commit --all --message 'Rename to {address}'")];
    let is_there = |origin: &String| slug(origin).is_ok_and(|slug| slug.eq_ignore_ascii_case(&address));
    if !git.origin()?.as_ref().is_some_and(is_there) {
        steps.push(format!("git remote set-url origin https://github.com/{address}.git"));
    }
    steps.push("git push".to_owned());
    Ok(steps)
}

fn remark(root: &Path) -> String {
    let mut remark = "Then README's chapter Connect, once per cluster.".to_owned();
    if root.join("tofu/terraform.tfstate").exists() {
        remark += "\ntofu/terraform.tfstate knows the objects under their old name: move it away, or the next apply would \
                   want to delete them.";
    }
    remark
}
