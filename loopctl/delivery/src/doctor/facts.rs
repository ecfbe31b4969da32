//! What is known about the delivery. Objects are kept as the API server gives them: each check reads other fields.

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
