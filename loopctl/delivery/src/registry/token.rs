//! What GitHub tells about a token that its registry takes: scopes and expiry stand in headers of every answer.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;

use crate::tls;

/// The registry whose passwords are GitHub's tokens.
pub const HOST: &str = "ghcr.io";
const API: &str = "https://api.github.com/";
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// None for a fine-grained token, of which GitHub does not say it.
    pub scopes: Option<Vec<String>>,
    pub expires: Option<Timestamp>,
}

/// The token goes to GitHub alone, which has issued it.
pub async fn ask(token: &str) -> Result<Told> {
    tls::provide();
    let client = reqwest::Client::builder().timeout(PATIENCE).user_agent("loopctl").build();
    let answer = client.context("cannot make a client for GitHub")?.head(API).bearer_auth(token).send().await;
    let answer = answer.map_err(|error| error.without_url()).context("GitHub was not reached about the token")?;
    Ok(read(answer.headers()))
}

fn read(headers: &HeaderMap) -> Told {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scopes = text("x-oauth-scopes").map(|scopes| {
        scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
    });
    Told { scopes, expires: text("github-authentication-token-expiration").and_then(time) }
}

/// `2026-12-01 08:00:00 UTC`.
fn time(text: &str) -> Option<Timestamp> {
    let local: DateTime = text.get(..19)?.parse().ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_expiry_are_read_when_they_are_told() {
        let check = |headers: &[(&'static str, &str)], scopes: Option<&[&str]>, expires: Option<&str>| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().expect("a header"));
            }
            let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
            let expires = expires.map(|expires| expires.parse().expect("a time"));
            assert_eq!(read(&map), Told { scopes, expires }, "{headers:?}");
        };
        check(&[], None, None);
        check(&[("x-oauth-scopes", "")], Some(&[]), None);
        let expiry = ("github-authentication-token-expiration", "2026-12-01 08:00:00 UTC");
        let scopes = ("x-oauth-scopes", "read:packages, repo");
        check(&[scopes, expiry], Some(&["read:packages", "repo"]), Some("2026-12-01T08:00:00Z"));
        check(&[("github-authentication-token-expiration", "never")], None, None);
    }
}
