//! The workflow's run for a commit: from the loop's own records, or from GitHub by its command `gh`.

use std::process::{Command, Stdio};

use serde::Deserialize;

use super::facts::{Run, RunState, Seen};
use crate::local::Place;
use crate::local::workflow::runs;
use crate::local::workflow::runs::Conclusion;
use crate::stand_in::StandIn;

pub const FILE: &str = "deploy.yml";

pub fn look(slug: &str, repository: &str, commit: &str, stand_in: Option<&StandIn>) -> Seen<Option<Run>> {
    match stand_in {
        Some(_) => of_loop(commit).map_err(|error| format!("{error:#}")),
        None if repository.contains("github.com") => of_github(slug, commit),
        None => Err(format!("{repository} is not on GitHub")),
    }
}

fn of_loop(commit: &str) -> anyhow::Result<Option<Run>> {
    let Some(run) = runs::of_commit(&Place::find()?, commit)? else { return Ok(None) };
    let look = format!("`cargo loopctl runs {}`", run.number);
    let state = match run.outcome()?.map(|outcome| outcome.conclusion) {
        None => RunState::Running,
        Some(Conclusion::Success) => RunState::Succeeded,
        Some(_) => RunState::Failed,
    };
    Ok(Some(Run { state, look }))
}

#[derive(Deserialize)]
struct Listed {
    status: String,
    conclusion: Option<String>,
    url: String,
}

fn of_github(slug: &str, commit: &str) -> Seen<Option<Run>> {
    let page = format!("https://github.com/{slug}/actions/workflows/{FILE}");
    let mut gh = Command::new("gh");
    gh.args(["run", "list", "--repo", slug, "--workflow", FILE, "--commit", commit, "--limit", "1"]);
    gh.args(["--json", "status,conclusion,url"]).env("GH_PROMPT_DISABLED", "1").stdin(Stdio::null());
    let Ok(output) = gh.output() else {
        return Err(format!("GitHub's command gh is not installed; its runs are at {page}"));
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("gh says: {said}; the runs are at {page}"));
    }
    parse(&output.stdout).map_err(|error| format!("gh answers in another form: {error}; the runs are at {page}"))
}

fn parse(answer: &[u8]) -> serde_json::Result<Option<Run>> {
    let listed: Vec<Listed> = serde_json::from_slice(answer)?;
    Ok(listed.into_iter().next().map(|run| {
        let state = match (run.status.as_str(), run.conclusion.as_deref()) {
            ("completed", Some("success")) => RunState::Succeeded,
            ("completed", _) => RunState::Failed,
            _ => RunState::Running,
        };
        Run { state, look: run.url }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_github_is_over_when_it_is_completed_and_good_when_that_was_a_success() {
        let check = |answer: &str, expected: Option<RunState>| {
            let found = parse(answer.as_bytes()).expect(answer);
            assert_eq!(found.map(|run| run.state), expected, "{answer}");
        };
        check(r#"[{"status":"in_progress","conclusion":"","url":"u"}]"#, Some(RunState::Running));
        check(r#"[{"status":"completed","conclusion":"success","url":"u"}]"#, Some(RunState::Succeeded));
        check(r#"[{"status":"completed","conclusion":"cancelled","url":"u"}]"#, Some(RunState::Failed));
        check("[]", None);
    }
}
