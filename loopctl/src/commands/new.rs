//! `loopctl new`: a repository of one's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::output::{Answer, Output, numbered};
use crate::rendered::{message, rendered};
use delivery::git::Git;
use template::{HERE, Names, Template};

/// Make a repository of your own: a service, and the whole loop that delivers it
///
/// A folder with a git repository and one commit in it: the service with its tests, the workflow, k8s/, argocd/ and tofu/,
/// and a README of one page. The name is the repository's, the image's, the namespace's, the Deployment's and the
/// program's, and the prefix of its settings. `loopctl update` brings it later what is new in the template.
#[derive(Args)]
pub struct Options {
    /// What the repository, the image and the service are called
    #[arg(value_parser = template::name)]
    name: String,
    /// Who has the repository on GitHub and the image on ghcr.io
    #[arg(long, value_parser = template::owner)]
    owner: String,
    /// Where the node of the cluster is reached
    #[arg(long, value_parser = template::host, default_value = HERE)]
    host: String,
    /// The branch that is delivered
    #[arg(long, value_parser = template::branch, default_value = "main")]
    branch: String,
    /// An example to begin with
    #[arg(long, value_enum, value_name = "EXAMPLE")]
    with: Option<Example>,
    /// The folder to make, or an empty one [default: the name]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// List the files and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(ValueEnum, Clone, Copy)]
enum Example {
    /// A resource with everything that one can have: settings, a queue, metrics, streamed answers
    Fibonacci,
}

/// What became of it; its fields are what `-o json` prints.
#[derive(Serialize)]
struct Made {
    folder: PathBuf,
    owner: String,
    name: String,
    branch: String,
    template: String,
    files: Vec<String>,
    lines: usize,
    written: bool,
    commit: Option<String>,
    next: Vec<String>,
}

impl Answer for Made {
    fn text(&self) -> String {
        let Self { folder, files, lines, next, .. } = self;
        let folder = folder.display();
        if !self.written {
            let list = files.join("\n");
            return format!(
                "{list}\n\n{} files with {lines} lines would be made in {folder}. Nothing was written.",
                files.len()
            );
        }
        format!("Made {folder}: {} files with {lines} lines, in one commit.\n\nNext:\n{}", files.len(), numbered(next))
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let Options { name, owner, host, branch, with, dry_run, .. } = options;
    let folder = options.into.clone().unwrap_or_else(|| PathBuf::from(name));
    require_empty(&folder)?;
    let names = Names {
        owner: owner.clone(),
        name: name.clone(),
        host: host.clone(),
        branch: branch.clone(),
        with_example: with.is_some(),
    };
    let template = Template::own();
    let files = rendered(&template, &names)?;
    let begin = message(&format!("Begin {name}"), &template, &names);
    let commit = if *dry_run { None } else { Some(Git::begin(&folder, branch, &files, &begin)?) };
    options.output.print(&Made {
        next: next(&folder, &names),
        folder,
        owner: names.owner,
        name: names.name,
        branch: names.branch,
        template: template.version,
        lines: files.iter().map(|(_, text)| text.lines().count()).sum(),
        files: files.into_iter().map(|(path, _)| path).collect(),
        written: commit.is_some(),
        commit,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn require_empty(folder: &Path) -> Result<()> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look into {}", folder.display())),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!(
                "{} is not empty, and nothing in it is written over: name another folder with --into",
                folder.display()
            ),
        },
    }
}

fn next(folder: &Path, names: &Names) -> Vec<String> {
    let Names { owner, name, branch, .. } = names;
    vec![
        format!("cd {} && make test", folder.display()),
        "cargo loopctl up --install     # the whole loop on this machine; or:".to_owned(),
        format!("git remote add origin https://github.com/{owner}/{name}.git && git push -u origin {branch}"),
        "README.md, chapter Deliver, once per cluster".to_owned(),
    ]
}
