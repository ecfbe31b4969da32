//! The stand-ins for the third-party actions that the workflow uses.
//!
//! Which commit of an action is pinned is read from the workflow file itself, so an update there
//! needs no second edit here.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::file::Workflow;
use crate::Place;

/// The action, and the folder below `parts/actions/` that stands in for it.
const STAND_INS: &[(&str, &str)] = &[
    ("actions/attest", "attest"),
    ("actions/cache", "cache"),
    ("actions/checkout", "checkout"),
    ("docker/build-push-action", "build-push"),
    ("docker/login-action", "login"),
    ("docker/metadata-action", "metadata"),
    ("docker/setup-buildx-action", "setup-buildx"),
];

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    inputs: BTreeMap<String, Value>,
}

/// What act is told: `owner/name@commit=folder`, once for each action that the workflow names.
pub fn mappings(place: &Place, workflow: &Workflow) -> Result<Vec<String>> {
    let mut mappings = Vec::new();
    for (job, step) in workflow.jobs.iter().flat_map(|(name, job)| job.steps.iter().map(move |step| (name, step))) {
        let Some(uses) = step.uses.as_deref().filter(|uses| !uses.starts_with("./")) else { continue };
        let (action, commit) =
            uses.split_once('@').with_context(|| format!("job {job}: `uses: {uses}` names no commit"))?;
        let folder = folder(place, action).with_context(|| format!("job {job} cannot run on this machine"))?;
        let known = inputs(&folder)?;
        if let Some(input) = step.with.keys().find(|input| !known.contains_key(*input)) {
            bail!(
                "job {job} gives {action} the input `{input}`, which its stand-in does not know; \
                 teach it in loopctl/parts/actions/{}/action.yml",
                folder.file_name().unwrap_or_default().display()
            );
        }
        let mapping = format!("{action}@{commit}={}", folder.display());
        if !mappings.contains(&mapping) {
            mappings.push(mapping);
        }
    }
    Ok(mappings)
}

fn folder(place: &Place, action: &str) -> Result<PathBuf> {
    match STAND_INS.iter().find(|(name, _)| *name == action) {
        Some((_, folder)) => Ok(place.part("actions")?.join(folder)),
        None => bail!(
            "it uses {action}, which has no stand-in yet; write one in loopctl/parts/actions/ \
             and name it in loopctl/machine/src/workflow/actions.rs"
        ),
    }
}

fn inputs(folder: &std::path::Path) -> Result<BTreeMap<String, Value>> {
    let path = folder.join("action.yml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let action: Action = serde_saphyr::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    Ok(action.inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: &str, expected: Result<&str, &str>) {
        let place = Place::find().expect("the tests run with a home folder");
        let workflow = format!("on: {{push: }}\njobs: {{build: {{runs-on: ubuntu-latest, steps: [{step}]}}}}");
        let workflow = Workflow::read(&workflow).expect("a valid workflow");
        let found = mappings(&place, &workflow).map_err(|error| format!("{error:#}"));
        let expected = expected.map(|folder| match folder {
            "" => Vec::new(),
            folder => vec![format!(
                "actions/checkout@3d3c42e={}",
                place.part("actions").expect("the parts are written").join(folder).display()
            )],
        });
        assert_eq!(found, expected.map_err(str::to_owned), "{step}");
    }

    #[test]
    fn an_action_is_mapped_at_whatever_commit_the_workflow_pins() {
        check("{uses: 'actions/checkout@3d3c42e', with: {fetch-depth: 0}}", Ok("checkout"));
        check("{run: make}", Ok(""));
    }

    #[test]
    fn an_action_without_stand_in_is_refused_with_what_to_do() {
        check(
            "{uses: 'actions/setup-go@b7ad1da'}",
            Err("job build cannot run on this machine: it uses actions/setup-go, which has no stand-in yet; \
                 write one in loopctl/parts/actions/ and name it in loopctl/machine/src/workflow/actions.rs"),
        );
    }

    #[test]
    fn an_input_that_the_stand_in_would_ignore_is_refused() {
        check(
            "{uses: 'actions/checkout@3d3c42e', with: {lfs: true}}",
            Err("job build gives actions/checkout the input `lfs`, which its stand-in does not know; \
                 teach it in loopctl/parts/actions/checkout/action.yml"),
        );
    }

    #[test]
    fn the_workflow_of_this_repository_can_run_on_this_machine() {
        let place = Place::find().expect("the tests run with a home folder");
        let text = fs::read_to_string(
            place.repository().expect("the tests run in a checkout").checkout.join(crate::workflow::FILE),
        )
        .expect("the workflow is there");
        let workflow = Workflow::read(&text).expect("the workflow can be understood");
        let mappings = mappings(&place, &workflow).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!mappings.is_empty(), "the workflow uses no action at all");
    }

    #[test]
    fn every_stand_in_is_there_and_can_be_read() {
        let place = Place::find().expect("the tests run with a home folder");
        for (action, _) in STAND_INS {
            folder(&place, action)
                .and_then(|folder| inputs(&folder))
                .unwrap_or_else(|error| panic!("{action}: {error:#}"));
        }
    }
}
