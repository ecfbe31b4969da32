//! Concurrency groups: at most one run of a group runs and at most one waits, as on GitHub.

use anyhow::{Result, bail};
use serde_json::Value;

use super::file::{Concurrency, Workflow};
use super::rules::{Push, short};

/// A run that has not ended yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    pub number: u64,
    /// None when the workflow names no group: it then waits for nobody.
    pub group: Option<Group>,
    pub running: bool,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub cancel_in_progress: bool,
    /// With `queue: max` the waiting runs stay and take turns; otherwise the newest pushes the others out.
    pub all_wait: bool,
}

#[derive(Debug, PartialEq)]
pub enum Action {
    Start(u64),
    Cancel(u64),
}

/// What has to be done now, given all unfinished runs. Asked again whenever one comes or ends.
pub fn decide(unfinished: &[Unfinished]) -> Vec<Action> {
    let mut runs = unfinished.to_vec();
    runs.sort_by_key(|run| run.number);
    let mut actions = Vec::new();
    for run in runs.iter().filter(|run| !run.running) {
        let Some(group) = &run.group else {
            actions.push(Action::Start(run.number));
            continue;
        };
        let mates: Vec<&Unfinished> = runs
            .iter()
            .filter(|other| {
                other.number != run.number && other.group.as_ref().is_some_and(|other| other.name == group.name)
            })
            .collect();
        let newer_waits = mates.iter().any(|mate| !mate.running && mate.number > run.number);
        let older_waits = mates.iter().any(|mate| !mate.running && mate.number < run.number);
        if newer_waits && !group.all_wait {
            actions.push(Action::Cancel(run.number));
            continue;
        }
        let ahead: Vec<u64> = mates.iter().filter(|mate| mate.running).map(|mate| mate.number).collect();
        if ahead.is_empty() && !(group.all_wait && older_waits) {
            actions.push(Action::Start(run.number));
        } else if group.cancel_in_progress {
            actions.extend(ahead.into_iter().map(Action::Cancel));
        }
    }
    actions
}

/// The group of a run that the push starts.
pub fn group(workflow: &Workflow, path: &str, push: &Push) -> Result<Option<Group>> {
    if let Some((job, _)) = workflow.jobs.iter().find(|(_, job)| job.concurrency.is_some()) {
        bail!(
            "job {job} has a concurrency group of its own, which the local loop cannot enforce: give it to the whole workflow"
        );
    }
    let (name, cancel_in_progress, all_wait) = match &workflow.concurrency {
        None => return Ok(None),
        Some(Concurrency::Group(group)) => (group, false, false),
        Some(Concurrency::Settings { group, cancel_in_progress, queue }) => {
            let cancel = match cancel_in_progress {
                Value::Null | Value::Bool(false) => false,
                Value::Bool(true) => true,
                other => bail!("the local loop does not work out `cancel-in-progress: {other}`"),
            };
            (group, cancel, queue.as_deref() == Some("max"))
        }
    };
    Ok(Some(Group { name: fill(name, workflow.name.as_deref().unwrap_or(path), push)?, cancel_in_progress, all_wait }))
}

/// The expressions that group names are made of in practice.
fn fill(text: &str, workflow: &str, push: &Push) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((expression, after)) = after.split_once("}}") else {
            bail!("'{text}' opens an expression and does not close it")
        };
        filled += before;
        filled += match expression.trim() {
            "github.workflow" => workflow,
            "github.ref" => &push.reference,
            "github.ref_name" => short(&push.reference),
            "github.sha" => &push.after,
            other => bail!("the local loop does not work out ${{{{ {other} }}}} in the name of a concurrency group"),
        };
        rest = after;
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u64, running: bool, group: Option<(&str, bool, bool)>) -> Unfinished {
        let group =
            group.map(|(name, cancel_in_progress, all_wait)| Group { name: name.into(), cancel_in_progress, all_wait });
        Unfinished { number, group, running }
    }

    const DEPLOY: Option<(&str, bool, bool)> = Some(("deploy", false, false));

    fn check(unfinished: &[Unfinished], expected: &[Action]) {
        assert_eq!(decide(unfinished), expected, "{unfinished:#?}");
    }

    #[test]
    fn without_a_group_every_run_starts_at_once() {
        check(&[run(1, true, None), run(2, false, None), run(3, false, None)], &[Action::Start(2), Action::Start(3)]);
    }

    #[test]
    fn a_run_waits_for_the_one_of_its_group_and_for_no_other() {
        check(&[run(1, true, DEPLOY), run(2, false, DEPLOY)], &[]);
        check(&[run(1, true, Some(("other", false, false))), run(2, false, DEPLOY)], &[Action::Start(2)]);
        check(&[run(2, false, DEPLOY)], &[Action::Start(2)]);
    }

    #[test]
    fn the_newest_waiting_run_pushes_the_others_out() {
        check(&[run(1, true, DEPLOY), run(2, false, DEPLOY), run(3, false, DEPLOY)], &[Action::Cancel(2)]);
    }

    #[test]
    fn with_cancel_in_progress_the_running_one_makes_room() {
        let group = Some(("deploy", true, false));
        check(&[run(1, true, group), run(2, false, group)], &[Action::Cancel(1)]);
    }

    #[test]
    fn with_queue_max_all_wait_and_the_oldest_goes_first() {
        let group = Some(("deploy", false, true));
        check(&[run(1, true, group), run(2, false, group), run(3, false, group)], &[]);
        check(&[run(2, false, group), run(3, false, group)], &[Action::Start(2)]);
    }

    fn check_group(workflow: &str, expected: Result<Option<&str>, &str>) {
        let push = Push {
            reference: "refs/heads/master".into(),
            before: String::new(),
            after: String::new(),
            message: String::new(),
            actor: String::new(),
            by_run: None,
        };
        let workflow = Workflow::read(workflow).expect("a valid workflow");
        let found = group(&workflow, ".github/workflows/deploy.yml", &push).map(|group| group.map(|group| group.name));
        assert_eq!(
            found.map_err(|error| error.to_string()),
            expected.map(|name| name.map(str::to_owned)).map_err(str::to_owned)
        );
    }

    #[test]
    fn a_groups_name_is_filled_in() {
        check_group("on: push\njobs: {}", Ok(None));
        check_group("on: push\nconcurrency: deploy\njobs: {}", Ok(Some("deploy")));
        check_group(
            "name: Deploy\non: push\nconcurrency: {group: '${{ github.workflow }}-${{ github.ref }}'}\njobs: {}",
            Ok(Some("Deploy-refs/heads/master")),
        );
    }

    #[test]
    fn what_cannot_be_enforced_is_refused_aloud() {
        check_group(
            "on: push\nconcurrency: '${{ github.event.number }}'\njobs: {}",
            Err("the local loop does not work out ${{ github.event.number }} in the name of a concurrency group"),
        );
        check_group(
            "on: push\njobs: {bump: {runs-on: x, concurrency: bump}}",
            Err(
                "job bump has a concurrency group of its own, which the local loop cannot enforce: give it to the whole workflow",
            ),
        );
    }
}
