//! One object of a manifest, as a YAML parser reads it: what stands where in it.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Probe, of_kind};

pub struct Manifest {
    pub file: String,
    pub value: Value,
}

impl Manifest {
    /// The file's document of that kind; others may stand beside it.
    pub fn read(folder: &Path, file: String, kind: &str) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join(&file)).with_context(|| format!("cannot read {file}"))?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).with_context(|| format!("{file} is not valid YAML"))?;
        let at = of_kind(&documents, kind);
        let value = at.and_then(|at| documents.into_iter().nth(at));
        Ok(Self { value: value.with_context(|| format!("{file} has no document of kind {kind}"))?, file })
    }

    /// Where the container is that has the Deployment's own name, or is the only one; as in `crate::manifest`.
    pub fn container(&self) -> Result<String> {
        let list = "/spec/template/spec/containers";
        let (own, names) = (self.text("/metadata/name")?, self.names(list));
        let at = if names.len() == 1 { Some(0) } else { names.iter().position(|name| *name == own) };
        let at = at.with_context(|| format!("{}: none of the containers {names:?} is named {own}", self.file))?;
        Ok(format!("{list}/{at}"))
    }

    pub fn value(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    pub fn text(&self, pointer: &str) -> Result<String> {
        let found = self.value(pointer).and_then(Value::as_str);
        found.map(str::to_owned).with_context(|| format!("{} has no {pointer}", self.file))
    }

    /// Of several sources the one with manifests of this repository's own: others are charts or values.
    pub fn source(&self, folder: &str) -> String {
        let list = self.value("/spec/sources").and_then(Value::as_array);
        let at = |wanted: &dyn Fn(&Value) -> bool| list?.iter().position(wanted);
        let own = |source: &Value| source["path"].as_str().is_some_and(|path| path.trim_matches(['.', '/']) == folder);
        let found = at(&own).or_else(|| at(&|source| source["path"].is_string())).or_else(|| at(&|_| true));
        found.map_or_else(|| "/spec/source".to_owned(), |at| format!("/spec/sources/{at}"))
    }

    /// A port that the probe names is looked up among those of the container.
    pub fn probe(&self, container: &str) -> Option<Probe> {
        let container = self.value(container)?;
        let asked = container.pointer("/readinessProbe/httpGet")?;
        let named = |name: &str| container["ports"].as_array()?.iter().find(|port| port["name"] == name);
        let port = asked["port"].as_u64().or_else(|| named(asked["port"].as_str()?)?["containerPort"].as_u64())?;
        Some(Probe { path: asked["path"].as_str().unwrap_or("/").to_owned(), port: port.try_into().ok()? })
    }

    pub fn labels(&self, pointer: &str) -> String {
        let labels = self.value(pointer).and_then(Value::as_object).into_iter().flatten();
        let pairs: Vec<String> =
            labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        pairs.join(",")
    }

    pub fn names(&self, pointer: &str) -> Vec<String> {
        let list = self.value(pointer).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|entry| entry["name"].as_str().map(str::to_owned)).collect()
    }
}
