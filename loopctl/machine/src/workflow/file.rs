//! The workflow file, as far as this machine has to understand it: what starts it, what it uses.
//!
//! What GitHub would do and nothing here does is refused by its name: a run that goes another way than GitHub's is worse
//! than none.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Debug)]
pub struct Workflow {
    on: BTreeMap<String, Option<Value>>,
    concurrency: Option<Value>,
    pub jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    #[serde(default)]
    pub runs_on: Value,
    pub timeout_minutes: Option<f64>,
    concurrency: Option<Value>,
    container: Option<Value>,
    services: Option<Value>,
    #[serde(default)]
    pub steps: Vec<Step>,
}

#[derive(Deserialize, Debug)]
pub struct Step {
    pub uses: Option<String>,
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
}

impl Workflow {
    pub fn read(text: &str) -> Result<Self> {
        let workflow: Self = serde_saphyr::from_str(text).context("the workflow file cannot be understood")?;
        if workflow.concurrency.is_some() {
            bail!("the workflow has a `concurrency` group, which the local loop does not know");
        }
        for (name, job) in &workflow.jobs {
            let asked = [("concurrency", &job.concurrency), ("container", &job.container), ("services", &job.services)];
            if let Some((what, _)) = asked.iter().find(|(_, asked)| asked.is_some()) {
                bail!("job {name} asks for `{what}`, which the local loop does not have");
            }
        }
        Ok(workflow)
    }

    /// The branches of `on.push`, a push to which starts a run.
    pub fn branches(&self) -> Result<Vec<String>> {
        let push = self.on.get("push").cloned().flatten().unwrap_or_default();
        let filters = push.as_object().cloned().unwrap_or_default();
        if let Some(filter) = filters.keys().find(|filter| *filter != "branches") {
            bail!("the local loop does not know `on.push.{filter}`: name the branches, one by one");
        }
        let branches: Vec<String> = filters
            .get("branches")
            .and_then(|branches| serde_json::from_value(branches.clone()).ok())
            .context("the local loop delivers the branches that `on.push.branches` lists, and there is no such list")?;
        match branches.iter().find(|branch| branch.contains(['*', '?', '+', '[', '!', '\\'])) {
            Some(pattern) => bail!("the local loop does not know the pattern '{pattern}' of `on.push.branches`"),
            None => Ok(branches),
        }
    }

    /// The kinds of runner that the jobs ask for; this machine stands in for each.
    pub fn runners(&self) -> Vec<String> {
        let mut runners: Vec<String> = self
            .jobs
            .values()
            .flat_map(|job| match &job.runs_on {
                Value::String(label) => vec![label.clone()],
                Value::Array(labels) => labels.iter().filter_map(|label| label.as_str().map(str::to_owned)).collect(),
                _ => Vec::new(),
            })
            .collect();
        runners.sort();
        runners.dedup();
        runners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(workflow: &str, expected: Result<&[&str], &str>) {
        let found = Workflow::read(workflow).and_then(|workflow| workflow.branches());
        let expected = expected.map(|branches| branches.iter().map(|branch| (*branch).to_owned()).collect::<Vec<_>>());
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{workflow}");
    }

    #[test]
    fn a_push_to_a_branch_of_the_list_starts_a_run() {
        check("on: {push: {branches: [master]}}\njobs: {}", Ok(&["master"]));
        check("on: {workflow_dispatch: , push: {branches: [main, next]}}\njobs: {}", Ok(&["main", "next"]));
    }

    #[test]
    fn what_github_would_do_and_the_loop_does_not_is_refused_by_its_name() {
        let no_list = "the local loop delivers the branches that `on.push.branches` lists, and there is no such list";
        check("on: {push: }\njobs: {}", Err(no_list));
        check("on: {workflow_dispatch: }\njobs: {}", Err(no_list));
        for filter in ["branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"] {
            let said = format!("the local loop does not know `on.push.{filter}`: name the branches, one by one");
            check(&format!("on: {{push: {{branches: [master], {filter}: [a]}}}}\njobs: {{}}"), Err(&said));
        }
        for pattern in ["releases/**", "!old", "v[12]"] {
            let said = format!("the local loop does not know the pattern '{pattern}' of `on.push.branches`");
            check(&format!("on: {{push: {{branches: ['{pattern}']}}}}\njobs: {{}}"), Err(&said));
        }
        let push = "on: {push: {branches: [master]}}";
        check(
            &format!("{push}\nconcurrency: deploy\njobs: {{}}"),
            Err("the workflow has a `concurrency` group, which the local loop does not know"),
        );
        for asked in ["concurrency", "container", "services"] {
            let said = format!("job bump asks for `{asked}`, which the local loop does not have");
            check(&format!("{push}\njobs: {{bump: {{runs-on: x, {asked}: {{a: b}}}}}}"), Err(&said));
        }
    }
}
