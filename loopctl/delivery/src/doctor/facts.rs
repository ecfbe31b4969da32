//! What is known about the delivery. Objects are kept as the API server gives them: each check reads other fields.

use std::time::Duration;

use serde_json::Value;

use crate::coordinates::Coordinates;

#[derive(Clone, Debug)]
pub enum Fact<T> {
    Found(T),
    Missing,
    /// Why it could not be looked at.
    Unseen(String),
}

impl<T> Fact<T> {
    /// What was found. Otherwise the verdict says why not, if the reason is that nobody could look.
    pub fn seen(&self, verdict: &mut super::Verdict) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Missing => None,
            Self::Unseen(why) => {
                verdict.unseen(why.clone());
                None
            }
        }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T> From<anyhow::Result<Option<T>>> for Fact<T> {
    fn from(looked: anyhow::Result<Option<T>>) -> Self {
        match looked {
            Ok(Some(found)) => Self::Found(found),
            Ok(None) => Self::Missing,
            Err(error) => Self::Unseen(format!("{error:#}")),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub names: Coordinates,
    pub deployment: Fact<Value>,
    pub service: Fact<Value>,
    pub namespace: Fact<Value>,
    pub application: Fact<Value>,
    pub project: Fact<Value>,
    /// The data of argocd-cm.
    pub settings: Fact<Value>,
    /// Of all namespaces.
    pub services: Fact<Vec<Value>>,
    /// The NodePort of each service in tofu/terraform.tfvars, by `namespace/name`.
    pub declared: Fact<Vec<(String, u64)>>,
    /// The images of Argo CD's parts, by the part's name.
    pub argocd: Fact<Vec<(String, String)>>,
    /// Of the API server, such as v1.36.3.
    pub kubernetes: Fact<String>,
    /// The API versions that the cluster serves, such as apps/v1.
    pub served: Fact<Vec<String>>,
    pub secret: Fact<Secret>,
    /// The image that the pods run, asked for with nothing but the secret's credentials.
    pub pull: Fact<Pull>,
    pub token: Fact<Token>,
    pub plan: Fact<Plan>,
    /// The Deployments and StatefulSets of Argo CD.
    pub parts: Fact<Vec<Value>>,
    pub nodes: Fact<Vec<Value>>,
    /// Of the delivery's namespace.
    pub quotas: Fact<Vec<Value>>,
    /// The EndpointSlices of the Service.
    pub slices: Fact<Vec<Value>>,
    /// The objects of argocd/sync-account.yaml, and whether each is there.
    pub account: Fact<Vec<(String, bool)>>,
    /// In git.
    pub hold: Fact<Standing>,
    /// The version of the template that the checkout has last heard of.
    pub template: Fact<String>,
}

#[derive(Clone, Debug)]
pub struct Standing {
    pub bad: String,
    pub line: usize,
    pub is_certain: bool,
    pub age: Duration,
}

/// The command that applies a file of the checkout, with the address that the cluster knows the repository by.
pub fn applied(facts: &Facts, file: &str) -> String {
    let own = facts.names.repository.as_str();
    let of = |fact: &Fact<Value>, path: &str| match fact {
        Fact::Found(object) => object.pointer(path).and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let permitted = || of(&facts.project, "/spec/sourceRepos/0").filter(|address| !address.contains('*'));
    match of(&facts.application, "/spec/source/repoURL").or_else(permitted) {
        Some(live) if live != own => format!("sed 's|{own}|{live}|' {file} | kubectl apply -f -"),
        _ => format!("kubectl apply -f {file}"),
    }
}

/// Nothing of the password.
#[derive(Clone, Debug)]
pub struct Secret {
    pub kind: String,
    /// The registries that it has credentials for; None when its content cannot be read.
    pub registries: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
pub struct Pull {
    /// Name, tag or digest.
    pub image: String,
    pub with_secret: Outcome,
    pub anonymous: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pulled,
    /// The registry has no such image.
    Gone,
    Refused(String),
    /// Was not tried, or the registry could not be reached.
    Unknown(String),
}

/// What GitHub's headers tell about the token in the secret.
#[derive(Clone, Debug, Default)]
pub struct Token {
    pub scopes: Option<Vec<String>>,
    /// How many days it still works.
    pub days: Option<i64>,
}

#[derive(Clone, Debug)]
pub enum Plan {
    Empty,
    /// Its last line, such as `Plan: 0 to add, 1 to change, 0 to destroy.`
    Changes(String),
}
