//! Which pushes start a run, by GitHub's rules; act would run the workflow for each of them.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::file::{OneOrMany, Workflow};
use super::pattern::any_matches;

/// One reference that a push has moved.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Push {
    /// `refs/heads/master`.
    pub reference: String,
    /// 40 zeroes when the reference is new.
    pub before: String,
    /// 40 zeroes when the reference was deleted.
    pub after: String,
    /// Of the newest commit.
    pub message: String,
    pub actor: String,
    /// The run whose GITHUB_TOKEN was used, if it was one.
    pub by_run: Option<u64>,
}

#[derive(PartialEq, Debug)]
pub enum Verdict {
    Runs,
    /// And why not, for the pusher.
    RunsNot(String),
}

impl Push {
    pub fn deletes(&self) -> bool {
        self.after.bytes().all(|digit| digit == b'0')
    }
}

/// `changed` is asked only when the workflow filters by path.
pub fn judge(workflow: &Workflow, push: &Push, changed: impl FnOnce() -> Result<Vec<String>>) -> Result<Verdict> {
    let no = |reason: String| Ok(Verdict::RunsNot(reason));
    if let Some(run) = push.by_run {
        return no(format!("the push was made with the GITHUB_TOKEN of run {run}, which starts no run"));
    }
    let Some(filter) = workflow.push_filter()? else {
        return no("the workflow is not started by pushes".into());
    };
    if let Some(marker) = skip_marker(&push.message) {
        return no(format!("the message of the newest commit says {marker}"));
    }
    let (name, wanted, unwanted, other) = match push.reference.strip_prefix("refs/tags/") {
        Some(tag) => {
            (tag, &filter.tags, &filter.tags_ignore, filter.branches.is_some() || filter.branches_ignore.is_some())
        }
        None => (
            short(&push.reference),
            &filter.branches,
            &filter.branches_ignore,
            filter.tags.is_some() || filter.tags_ignore.is_some(),
        ),
    };
    let filtered = wanted.is_some() || unwanted.is_some();
    if !passes(wanted.as_ref(), unwanted.as_ref(), name)? || (!filtered && other) {
        return no(format!("the workflow's `on.push` does not name {name}"));
    }
    if filter.paths.is_some() || filter.paths_ignore.is_some() {
        let mut touched = false;
        for path in changed()? {
            touched = touched || passes(filter.paths.as_ref(), filter.paths_ignore.as_ref(), &path)?;
        }
        if !touched {
            return no("no file that the push changed is one of those the workflow's `on.push` names".into());
        }
    }
    Ok(Verdict::Runs)
}

fn passes(wanted: Option<&OneOrMany>, unwanted: Option<&OneOrMany>, name: &str) -> Result<bool> {
    if let Some(wanted) = wanted {
        return any_matches(wanted.list(), name);
    }
    match unwanted {
        Some(unwanted) => Ok(!any_matches(unwanted.list(), name)?),
        None => Ok(true),
    }
}

/// The words that GitHub looks for anywhere in the message, and the trailer it looks for at its end.
fn skip_marker(message: &str) -> Option<&'static str> {
    const MARKERS: [&str; 5] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];
    if let Some(marker) = MARKERS.into_iter().find(|marker| message.contains(marker)) {
        return Some(marker);
    }
    let trailers = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let is_trailer = |line: &str| matches!(line.trim(), "skip-checks:true" | "skip-checks: true");
    (message.contains("\n\n") && trailers.lines().any(is_trailer)).then_some("skip-checks: true")
}

pub fn short(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLY_MASTER: &str = "on: {push: {branches: [master]}}\njobs: {}";

    fn push(reference: &str, message: &str) -> Push {
        Push {
            reference: reference.into(),
            before: String::new(),
            after: "b920bd3b920bd3b920bd3b920bd3b920bd3b920b".into(),
            message: message.into(),
            actor: "voloshko".into(),
            by_run: None,
        }
    }

    fn check(workflow: &str, push: &Push, expected: Option<&str>) {
        let workflow = Workflow::read(workflow).expect("a valid workflow");
        let changed = || Ok(vec!["docs/proofs.md".to_owned()]);
        let verdict = match judge(&workflow, push, changed).expect("a verdict") {
            Verdict::Runs => None,
            Verdict::RunsNot(reason) => Some(reason),
        };
        assert_eq!(verdict.as_deref(), expected, "{push:?}");
    }

    #[test]
    fn a_push_to_a_branch_that_the_workflow_names_starts_a_run() {
        check(ONLY_MASTER, &push("refs/heads/master", "Greet"), None);
        check("on: push\njobs: {}", &push("refs/heads/any", "Greet"), None);
        check("on: [pull_request, push]\njobs: {}", &push("refs/tags/v1", "Greet"), None);
        check("on:\n  push:\n  pull_request:\njobs: {}", &push("refs/heads/any", "Greet"), None);
    }

    #[test]
    fn a_push_elsewhere_starts_none() {
        let not_named = |name: &str| Some(format!("the workflow's `on.push` does not name {name}"));
        check(ONLY_MASTER, &push("refs/heads/feature", "Greet"), not_named("feature").as_deref());
        check(ONLY_MASTER, &push("refs/tags/v1", "Greet"), not_named("v1").as_deref());
        check("on: {push: {tags: ['v*']}}\njobs: {}", &push("refs/heads/v1", "Greet"), not_named("v1").as_deref());
        check("on: {push: {tags: ['v*']}}\njobs: {}", &push("refs/tags/v1", "Greet"), None);
        check(
            "on: {push: {branches-ignore: ['wip/**']}}\njobs: {}",
            &push("refs/heads/wip/a/b", "x"),
            not_named("wip/a/b").as_deref(),
        );
        check(
            "on: workflow_dispatch\njobs: {}",
            &push("refs/heads/master", "x"),
            Some("the workflow is not started by pushes"),
        );
    }

    #[test]
    fn a_marker_in_the_newest_commit_skips_the_run() {
        for marker in ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"] {
            let reason = format!("the message of the newest commit says {marker}");
            check(ONLY_MASTER, &push("refs/heads/master", &format!("Greet {marker}\n\nBody")), Some(&reason));
        }
        let trailer = Some("the message of the newest commit says skip-checks: true");
        check(ONLY_MASTER, &push("refs/heads/master", "Greet\n\nBody\n\n\nskip-checks:true\n"), trailer);
        check(ONLY_MASTER, &push("refs/heads/master", "Greet\n\nskip-checks: true\n\nBody"), None);
        check(ONLY_MASTER, &push("refs/heads/master", "Explain how to skip ci"), None);
    }

    #[test]
    fn a_push_with_a_runs_own_token_starts_none() {
        let bump = Push { by_run: Some(7), ..push("refs/heads/master", "ci: update image") };
        check(ONLY_MASTER, &bump, Some("the push was made with the GITHUB_TOKEN of run 7, which starts no run"));
    }

    #[test]
    fn a_workflow_that_filters_by_path_looks_at_what_the_push_changed() {
        let none = Some("no file that the push changed is one of those the workflow's `on.push` names");
        check("on: {push: {paths-ignore: ['docs/**']}}\njobs: {}", &push("refs/heads/master", "x"), none);
        check("on: {push: {paths: ['src/**']}}\njobs: {}", &push("refs/heads/master", "x"), none);
        check("on: {push: {paths: ['**.md']}}\njobs: {}", &push("refs/heads/master", "x"), None);
    }
}
