//! Which pushes start a run, by GitHub's rules; act would run the workflow for each of them.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::file::Workflow;

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

impl Push {
    pub fn deletes(&self) -> bool {
        self.after.bytes().all(|digit| digit == b'0')
    }
}

/// Why the push starts no run, for the pusher; None when it starts one.
pub fn refusal(workflow: &Workflow, push: &Push) -> Result<Option<String>> {
    if let Some(run) = push.by_run {
        return Ok(Some(format!("the push was made with the GITHUB_TOKEN of run {run}, which starts no run")));
    }
    if let Some(marker) = skip_marker(&push.message) {
        return Ok(Some(format!("the message of the newest commit says {marker}")));
    }
    let listed = workflow.branches()?;
    let branch = push.reference.strip_prefix("refs/heads/");
    let is_listed = branch.is_some_and(|branch| listed.iter().any(|each| each == branch));
    Ok((!is_listed).then(|| format!("the workflow's `on.push` does not name {}", short(&push.reference))))
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

    fn check(push: &Push, expected: Option<&str>) {
        let workflow = Workflow::read("on: {push: {branches: [master]}}\njobs: {}").expect("a valid workflow");
        assert_eq!(refusal(&workflow, push).expect("a verdict").as_deref(), expected, "{push:?}");
    }

    #[test]
    fn a_push_starts_a_run_on_a_branch_that_the_workflow_names_and_nowhere_else() {
        check(&push("refs/heads/master", "Greet"), None);
        check(&push("refs/heads/feature", "Greet"), Some("the workflow's `on.push` does not name feature"));
        check(&push("refs/tags/master", "Greet"), Some("the workflow's `on.push` does not name master"));
    }

    #[test]
    fn a_marker_in_the_newest_commit_skips_the_run() {
        for marker in ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"] {
            let reason = format!("the message of the newest commit says {marker}");
            check(&push("refs/heads/master", &format!("Greet {marker}\n\nBody")), Some(&reason));
        }
        let trailer = Some("the message of the newest commit says skip-checks: true");
        check(&push("refs/heads/master", "Greet\n\nBody\n\n\nskip-checks:true\n"), trailer);
        check(&push("refs/heads/master", "Greet\n\nskip-checks: true\n\nBody"), None);
        check(&push("refs/heads/master", "Explain how to skip ci"), None);
    }

    #[test]
    fn a_push_with_a_runs_own_token_starts_none() {
        let bump = Push { by_run: Some(7), ..push("refs/heads/master", "ci: update image") };
        check(&bump, Some("the push was made with the GITHUB_TOKEN of run 7, which starts no run"));
    }
}
