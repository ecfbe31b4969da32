//! One request to somebody outside: what came of it, and when it is worth another try.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

const ANSWER: Duration = Duration::from_secs(20);
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

pub enum Refused {
    /// It may pass; after that time, where they have named one.
    Later(Option<Duration>, String),
    /// The same would be refused again.
    Never(String),
}

/// The pauses between tries, each twice as long as the one before.
#[derive(Default)]
pub struct Patience(u32);

impl Patience {
    pub fn next(&mut self, named: Option<Duration>) -> Duration {
        let pause = named.unwrap_or_else(|| FIRST.saturating_mul(1 << self.0.min(6)).min(LONGEST));
        self.0 += 1;
        pause
    }

    pub fn over(&mut self) {
        self.0 = 0;
    }
}

pub fn client() -> reqwest::Result<reqwest::Client> {
    delivery::tls::provide();
    reqwest::Client::builder().timeout(ANSWER).user_agent(concat!("loopctl/", env!("CARGO_PKG_VERSION"))).build()
}

/// Null where the answer is empty or no JSON.
pub async fn send(request: RequestBuilder) -> Result<Value, Refused> {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return Err(Refused::Later(None, error.without_url().to_string())),
    };
    let status = answer.status();
    if status.is_success() {
        let text = answer.text().await.unwrap_or_default();
        return Ok(serde_json::from_str(&text).unwrap_or_default());
    }
    let pause = pause(&answer);
    let text = answer.text().await.unwrap_or_default();
    let said: String = text.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let why = format!("HTTP {}: {said}", status.as_u16());
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && pause.is_some());
    if is_limit || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        Err(Refused::Later(pause, why))
    } else {
        Err(Refused::Never(why))
    }
}

/// In GitHub's two ways of saying it: after how long, or at which second.
fn pause(answer: &Response) -> Option<Duration> {
    let header = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    if let Some(seconds) = header("retry-after") {
        return Some(Duration::from_secs(seconds.min(3600)));
    }
    let reset = header("x-ratelimit-reset").filter(|_| header("x-ratelimit-remaining") == Some(0))?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    Some(Duration::from_secs(reset.saturating_sub(now).clamp(1, 3600)))
}
