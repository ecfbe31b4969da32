//! One message for each turn that somebody has to know of: stuck, failed, held, rolled back, and mended.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result};
use delivery::deploys::What;
use delivery::journey::answer::State;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::post::{Patience, Refused, client, send};
use crate::Seen;
use crate::seen::Service;

/// What is stuck for a moment, as while a pod is pulled, needs nobody.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Webhook {
    client: Client,
    url: String,
    /// Only `text`, for receivers that take nothing else.
    is_text: bool,
    told: HashMap<String, Told>,
    waiting: VecDeque<Value>,
}

/// Of one commit: what was said last, and since when it is what it is now.
struct Told {
    said: State,
    now: State,
    since: Instant,
}

impl Webhook {
    pub fn new(url: String, is_text: bool) -> Result<Self> {
        let client = client().context("cannot make an HTTP client")?;
        Ok(Self { client, url, is_text, told: HashMap::new(), waiting: VecDeque::new() })
    }

    pub async fn follow(mut self, mut seen: Seen) {
        let mut patience = Patience::default();
        loop {
            let services = seen.borrow_and_update().clone();
            for service in services.iter() {
                self.look(service, Instant::now());
            }
            let mut pause = PATIENCE;
            while let Some(message) = self.waiting.front() {
                match send(self.client.post(&self.url).json(message)).await {
                    Ok(_) => {
                        patience.over();
                        self.waiting.pop_front();
                    }
                    Err(Refused::Never(why)) => {
                        eprintln!("the webhook refuses a message, which is lost: {why}");
                        self.waiting.pop_front();
                    }
                    Err(Refused::Later(named, why)) => {
                        pause = patience.next(named);
                        eprintln!("the webhook could not be told, and is again in {} s: {why}", pause.as_secs());
                        sleep(pause).await;
                        break;
                    }
                }
            }
            // Also without any news: what has been stuck for long enough is news itself.
            if let Ok(Err(_)) = timeout(pause, seen.changed()).await {
                return;
            }
        }
    }

    /// What was so when nobody had looked yet is no news.
    fn look(&mut self, service: &Service, now: Instant) {
        if service.rows.is_empty() {
            return;
        }
        let is_first = !self.told.keys().any(|key| key.starts_with(&format!("{} ", service.name)));
        for row in &service.rows {
            let (key, state) = (format!("{} {}", service.name, row.answer.commit), row.answer.state);
            let fresh = Told { said: if is_first { state } else { State::Moving }, now: state, since: now };
            let told = self.told.entry(key).or_insert(fresh);
            if state == State::Unknown {
                continue;
            }
            if told.now != state {
                (told.now, told.since) = (state, now);
            }
            let is_late = state != State::Stuck || now.duration_since(told.since) >= PATIENCE;
            let event = match state {
                State::Stuck | State::Failed | State::Held if is_late && told.said != state => state.word(),
                State::Live | State::Superseded if matches!(told.said, State::Stuck | State::Failed | State::Held) => {
                    "mended"
                }
                _ => continue,
            };
            told.said = state;
            let text = format!("{}: {}", service.name, row.answer.summary);
            self.waiting.push_back(self.message(event, &service.name, text, json!(row.answer)));
        }
        for deploy in service.deploys.iter().filter(|deploy| deploy.what == What::Rollback) {
            let key = format!("{} rollback {}", service.name, deploy.commit);
            let is_new = !self.told.contains_key(&key);
            self.told.insert(key, Told { said: State::Held, now: State::Held, since: now });
            if is_new && !is_first {
                let bad = deploy.bad.as_deref().unwrap_or("another revision");
                let text =
                    format!("{}: rolled back to {} because of {bad}: {}", service.name, deploy.tag, deploy.subject);
                self.waiting.push_back(self.message("rolled back", &service.name, text, json!(deploy)));
            }
        }
    }

    fn message(&self, event: &str, service: &str, text: String, about: Value) -> Value {
        if self.is_text {
            json!({"text": text})
        } else {
            json!({"event": event, "service": service, "text": text, "about": about})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::{at, row, shop};

    fn heard(webhook: &mut Webhook) -> Vec<String> {
        let event = |message: Value| message["event"].as_str().unwrap_or_default().to_owned();
        webhook.waiting.drain(..).map(event).collect()
    }

    #[test]
    fn each_turn_is_told_once_and_what_was_so_before_is_not() {
        let mut webhook = Webhook::new("http://127.0.0.1:9/".into(), false).expect("a client");
        let begin = Instant::now();
        let mut look = |states: &[State], seconds: u64| {
            let digits = ['5', '4', '3'];
            let rows = states.iter().zip(digits).map(|(state, digit)| row(digit, "A commit", *state)).collect();
            webhook.look(&Service { rows, ..shop() }, begin + Duration::from_secs(seconds));
            heard(&mut webhook).join(" ")
        };
        let (live, moving, stuck, failed, held) =
            (State::Live, State::Moving, State::Stuck, State::Failed, State::Held);
        assert_eq!(look(&[failed, live], 0), "", "it had failed before anybody looked");
        assert_eq!(look(&[failed, live], 1), "");
        assert_eq!(look(&[moving, live], 2), "");
        assert_eq!(look(&[stuck, live], 3), "", "for a moment only");
        assert_eq!(look(&[stuck, live], 24), "stuck");
        assert_eq!(look(&[stuck, live], 50), "");
        assert_eq!(look(&[State::Unknown, live], 51), "", "nobody knows");
        assert_eq!(look(&[failed, live], 52), "failed");
        assert_eq!(look(&[held, live], 53), "held");
        assert_eq!(look(&[live, State::Superseded], 54), "mended");
        assert_eq!(look(&[live, State::Superseded], 99), "");
    }

    #[test]
    fn a_rollback_is_told_with_the_revision_that_was_bad() {
        let mut webhook = Webhook::new("http://127.0.0.1:9/".into(), true).expect("a client");
        let mut service = shop();
        let rollbacks: Vec<_> = service.deploys.drain(..).collect();
        webhook.look(&service, Instant::now());
        assert!(webhook.waiting.is_empty());
        service.deploys = rollbacks;
        service.deploys[0].at = at(99);
        webhook.look(&service, Instant::now());
        webhook.look(&service, Instant::now());
        let told: Vec<Value> = webhook.waiting.drain(..).collect();
        assert_eq!(
            told,
            [json!({"text": "shop: rolled back to sha-1111111 because of 2222222: Roll back to sha-1111111"})]
        );
    }
}
