//! The status of each source commit on GitHub, and a Deployment of it: where the person who pushed looks.
//!
//! GitHub itself remembers what was said, so that after a restart nothing is said twice.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use delivery::journey::answer::{HopState, State};
use delivery::journey::hops::{answering, bump};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::post::{Patience, Refused, client, send};
use crate::Seen;
use crate::seen::{Row, Service};

/// GitHub cuts what is longer.
const LONGEST: usize = 140;

pub struct GitHub {
    client: Client,
    /// `https://api.github.com`, or another one of the same kind.
    api: String,
    token: PathBuf,
    /// Of the Deployments; where it is empty, each service's own name.
    environment: String,
    said: HashMap<Key, Value>,
}

/// The service and its commit, and what is said of it.
type Key = (String, What);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Status,
    Deployment,
}

impl GitHub {
    /// The file has the token; it needs `statuses` and `deployments` of one repository, to write, and nothing else.
    pub fn new(api: &str, token: PathBuf, environment: String) -> Result<Self> {
        let github = Self {
            client: client().context("cannot make an HTTP client")?,
            api: api.trim_end_matches('/').to_owned(),
            token,
            environment,
            said: HashMap::new(),
        };
        github.read_token()?;
        Ok(github)
    }

    fn read_token(&self) -> Result<String> {
        let file = self.token.display();
        let token = std::fs::read_to_string(&self.token).with_context(|| format!("cannot read the token in {file}"))?;
        match token.trim() {
            "" => bail!("there is no token in {file}"),
            token => Ok(token.to_owned()),
        }
    }

    pub async fn follow(mut self, mut seen: Seen) {
        let mut patience = Patience::default();
        loop {
            let services = seen.borrow_and_update().clone();
            match self.tell(&services).await {
                Ok(()) => {
                    patience.over();
                    if seen.changed().await.is_err() {
                        return;
                    }
                }
                Err((pause, why)) => {
                    let pause = patience.next(pause);
                    eprintln!("GitHub could not be told, and is again in {} s: {why}", pause.as_secs());
                    sleep(pause).await;
                }
            }
        }
    }

    /// What was refused for good is told on standard error, once; what may pass ends the round.
    async fn tell(
        &mut self,
        services: &[std::sync::Arc<Service>],
    ) -> Result<(), (Option<std::time::Duration>, String)> {
        for service in services {
            let Ok(slug) = delivery::coordinates::slug(&service.repository) else { continue };
            for row in &service.rows {
                for what in [What::Status, What::Deployment] {
                    let wanted = match what {
                        What::Status => status(service, row),
                        What::Deployment => deployment(row),
                    };
                    let Some(wanted) = wanted else { continue };
                    let key = (format!("{} {}", service.name, row.answer.commit), what);
                    // Refused or not, it is not said again until it changes.
                    let said = match self.say(&slug, service, row, &key, &wanted).await {
                        Ok(said) => said,
                        Err(Refused::Later(pause, why)) => return Err((pause, why)),
                        Err(Refused::Never(why)) => {
                            eprintln!("GitHub does not take the {what:?} of {}: {why}", row.answer.commit);
                            wanted
                        }
                    };
                    self.said.insert(key, said);
                }
            }
        }
        Ok(())
    }

    /// What is remembered as said: null where nothing was, on purpose.
    async fn say(&self, slug: &str, service: &Service, row: &Row, key: &Key, wanted: &Value) -> Result<Value, Refused> {
        let what = key.1;
        let is_over = row.answer.state == State::Superseded;
        match self.said.get(key) {
            Some(said) if said == wanted => return Ok(said.clone()),
            // Of what was settled before anybody told anything, nothing is told.
            Some(Value::Null) if is_over => return Ok(Value::Null),
            Some(_) => {}
            None => {
                let there = self.there(slug, service, row, what).await?;
                if there == *wanted || (there.is_null() && is_over) {
                    return Ok(there);
                }
            }
        }
        match what {
            What::Status => {
                let mut body = wanted.clone();
                body["context"] = json!(context(service));
                let path = format!("/repos/{slug}/statuses/{}", row.answer.commit);
                self.ask(Method::POST, &path, Some(body)).await?;
            }
            What::Deployment => self.say_deployment(slug, service, row, wanted.clone()).await?,
        }
        Ok(wanted.clone())
    }

    async fn say_deployment(&self, slug: &str, service: &Service, row: &Row, wanted: Value) -> Result<(), Refused> {
        let id = match self.deployment_of(slug, service, row).await? {
            Some(id) => id,
            None => {
                let body = json!({
                    "ref": row.answer.commit, "environment": self.environment_of(service), "auto_merge": false,
                    "required_contexts": [], "description": row.answer.subject,
                });
                let made = self.ask(Method::POST, &format!("/repos/{slug}/deployments"), Some(body)).await?;
                made["id"].as_u64().ok_or_else(|| Refused::Never("a Deployment without an id".to_owned()))?
            }
        };
        self.ask(Method::POST, &format!("/repos/{slug}/deployments/{id}/statuses"), Some(wanted)).await.map(drop)
    }

    /// What GitHub remembers as said last; null where nothing was.
    async fn there(&self, slug: &str, service: &Service, row: &Row, what: What) -> Result<Value, Refused> {
        let commit = &row.answer.commit;
        match what {
            What::Status => {
                let listed = self.ask(Method::GET, &format!("/repos/{slug}/commits/{commit}/statuses"), None).await?;
                let own = |status: &&Value| status["context"] == context(service);
                let newest = listed.as_array().into_iter().flatten().find(own);
                Ok(newest.map_or(Value::Null, |status| only(status, &["state", "description"])))
            }
            What::Deployment => {
                let Some(id) = self.deployment_of(slug, service, row).await? else { return Ok(Value::Null) };
                let listed = self.ask(Method::GET, &format!("/repos/{slug}/deployments/{id}/statuses"), None).await?;
                let newest = listed.as_array().and_then(|listed| listed.first());
                Ok(newest.map_or(Value::Null, |status| only(status, &["state", "description", "environment_url"])))
            }
        }
    }

    async fn deployment_of(&self, slug: &str, service: &Service, row: &Row) -> Result<Option<u64>, Refused> {
        let (commit, environment) = (&row.answer.commit, self.environment_of(service));
        let path = format!("/repos/{slug}/deployments?sha={commit}&environment={environment}");
        let listed = self.ask(Method::GET, &path, None).await?;
        Ok(listed.as_array().and_then(|listed| listed.first()?["id"].as_u64()))
    }

    fn environment_of(&self, service: &Service) -> String {
        if self.environment.is_empty() { service.name.clone() } else { self.environment.clone() }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        // Read anew each time: a Secret that is renewed is a file that changes.
        let token = self.read_token().map_err(|error| Refused::Later(None, format!("{error:#}")))?;
        let request = self.client.request(method, format!("{}{path}", self.api)).bearer_auth(token);
        let request =
            request.header("accept", "application/vnd.github+json").header("x-github-api-version", "2022-11-28");
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

/// By which people and rules know the check.
fn context(service: &Service) -> String {
    format!("delivery/{}", service.name)
}

/// None where nothing is known that could be said.
fn status(service: &Service, row: &Row) -> Option<Value> {
    let state = match row.answer.state {
        State::Live => "success",
        State::Moving | State::Held => "pending",
        State::Stuck => "error",
        State::Failed => "failure",
        State::Superseded if is_over(service, row) => "success",
        State::Superseded => "pending",
        State::Unknown | State::NotPushed => return None,
    };
    Some(json!({"state": state, "description": cut(&row.answer.summary)}))
}

/// A commit that another one has taken the place of is through when that one is, or one after it.
fn is_over(service: &Service, row: &Row) -> bool {
    let newer = service.rows.iter().take_while(|each| each.answer.commit != row.answer.commit);
    newer.into_iter().any(|each| each.answer.state == State::Live)
}

/// From the bump on: before it nothing is deployed.
fn deployment(row: &Row) -> Option<Value> {
    let hop = |name: &str| row.answer.hops.iter().find(|hop| hop.hop == name);
    hop(bump::NAME).filter(|hop| hop.state == HopState::Done)?;
    let state = match row.answer.state {
        State::Live => "success",
        State::Moving | State::Held => "in_progress",
        State::Stuck | State::Failed => "failure",
        State::Superseded => "inactive",
        State::Unknown | State::NotPushed => return None,
    };
    let mut said = json!({"state": state, "description": cut(&row.answer.summary)});
    let address =
        hop(answering::NAME).and_then(|hop| hop.detail.split(' ').next()).filter(|word| word.starts_with("http"));
    if let (State::Live, Some(address)) = (row.answer.state, address) {
        said["environment_url"] = json!(address);
    }
    Some(said)
}

fn only(value: &Value, fields: &[&str]) -> Value {
    let kept = fields.iter().filter(|field| value[**field].is_string() && value[**field] != "");
    kept.map(|field| ((*field).to_owned(), value[*field].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST {
        line.to_owned()
    } else {
        line.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests;
