//! The workflow file, as far as this machine has to understand it: what starts it, what it uses.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Debug)]
pub struct Workflow {
    pub name: Option<String>,
    pub on: On,
    pub concurrency: Option<Concurrency>,
    pub jobs: BTreeMap<String, Job>,
}

/// `on: push`, `on: [push, pull_request]` or `on: {push: {branches: [master]}}`.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum On {
    Event(String),
    Events(Vec<String>),
    Filtered(BTreeMap<String, Option<Value>>),
}

#[derive(Deserialize, Debug, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PushFilter {
    pub branches: Option<OneOrMany>,
    pub branches_ignore: Option<OneOrMany>,
    pub tags: Option<OneOrMany>,
    pub tags_ignore: Option<OneOrMany>,
    pub paths: Option<OneOrMany>,
    pub paths_ignore: Option<OneOrMany>,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Many(patterns) => patterns,
        }
    }
}

/// `concurrency: group` or `concurrency: {group: .., cancel-in-progress: ..}`.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum Concurrency {
    Group(String),
    #[serde(rename_all = "kebab-case")]
    Settings {
        group: String,
        #[serde(default)]
        cancel_in_progress: Value,
        queue: Option<String>,
    },
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub struct Job {
    #[serde(default)]
    pub runs_on: Value,
    pub timeout_minutes: Option<f64>,
    pub concurrency: Option<Concurrency>,
    pub container: Option<Value>,
    pub services: Option<Value>,
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
        serde_saphyr::from_str(text).context("the workflow file cannot be understood")
    }

    /// What `on` says about pushes: nothing when a push does not start it at all.
    pub fn push_filter(&self) -> Result<Option<PushFilter>> {
        let names_push = |events: &[String]| events.iter().any(|event| event == "push").then(PushFilter::default);
        Ok(match &self.on {
            On::Event(event) => names_push(std::slice::from_ref(event)),
            On::Events(events) => names_push(events),
            On::Filtered(events) => match events.get("push") {
                None => None,
                Some(None | Some(Value::Null)) => Some(PushFilter::default()),
                Some(Some(filter)) => {
                    Some(serde_json::from_value(filter.clone()).context("`on.push` cannot be understood")?)
                }
            },
        })
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
