//! The workflow's run for a commit: from the loop's own records, or from GitHub by its command `gh`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::facts::{Run, RunState, Seen};
use crate::stand_in::StandIn;

pub const FILE: &str = "deploy.yml";

pub fn look(slug: &str, repository: &str, commit: &str, stand_in: Option<&StandIn>) -> Seen<Option<Run>> {
    match stand_in {
        Some(stand_in) => of_loop(&stand_in.runs, commit).map_err(|error| format!("{error:#}")),
        None if repository.contains("github.com") => of_github(slug, commit),
        None => Err(format!("{repository} is not on GitHub")),
    }
}

/// A folder of the loop's for each run: what it was called for, and how it has ended.
fn of_loop(runs: &Path, commit: &str) -> anyhow::Result<Option<Run>> {
    let Ok(folders) = std::fs::read_dir(runs) else { return Ok(None) };
    let mut newest = None;
    for folder in folders {
        let folder = folder?;
        let Ok(number) = folder.file_name().to_string_lossy().parse::<u64>() else { continue };
        let is_later = newest.as_ref().is_none_or(|(known, _)| number > *known);
        if is_later && json(&folder.path().join("request.json"))?["push"]["after"] == commit {
            newest = Some((number, folder.path()));
        }
    }
    let Some((number, folder)) = newest else { return Ok(None) };
    let result = json(&folder.join("result.json"))?;
    let state = match result["conclusion"].as_str() {
        None => RunState::Running,
        Some("success") => RunState::Succeeded,
        Some(_) => RunState::Failed,
    };
    let steps = result["steps"].as_array().into_iter().flatten();
    let of_build = steps.filter(|step| step["job"].as_str().is_some_and(is_build));
    let built = of_build.filter_map(|step| step["ended"].as_str()?.parse().ok()).max();
    Ok(Some(Run { state, look: format!("`cargo loopctl runs {number}`"), built }))
}

/// Null where there is no such file yet.
fn json(file: &Path) -> anyhow::Result<Value> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}

/// What the bump waits for; of several services each has a job of its own.
fn is_build(job: &str) -> bool {
    ["test", "build"]
        .iter()
        .any(|name| job.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
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
        // Which job ended when is another question, of a second for each commit.
        Run { state, look: run.url, built: None }
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
