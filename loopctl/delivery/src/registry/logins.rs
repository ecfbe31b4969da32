//! The logins in a pull secret, found as the kubelet finds them. Only `auths` counts: whoever may write the Secret must
//! not choose a program that runs here.

use std::collections::BTreeMap;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, Engine};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reference;

#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: String,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    username: String,
    password: String,
    auth: String,
}

const HUB: &str = "index.docker.io";

/// Those for an image, the one that says most about where it is for first. None where one entry cannot be read: the
/// kubelet leaves out the whole Secret then.
pub fn for_image(docker_config: &str, image: &str) -> Vec<Login> {
    let Ok(config) = serde_json::from_str::<Config>(docker_config) else { return Vec::new() };
    let entries: Option<Vec<(String, Login)>> =
        config.auths.into_iter().map(|(key, entry)| Some((key, login(entry)?))).collect();
    let mut found: Vec<(String, Login)> = entries.unwrap_or_default();
    found.retain(|(key, _)| is_for(key, image));
    found.sort_by_key(|(key, _)| std::cmp::Reverse(place(key)));
    found.into_iter().map(|(_, login)| login).collect()
}

/// A docker configuration with this one login in place of what it had for the registry, and everything else kept.
/// None where what is there is no docker configuration.
pub fn with_login(docker_config: Option<&str>, registry: &str, login: &Login) -> Option<String> {
    let mut config: Value = docker_config.map_or(Ok(json!({})), serde_json::from_str).ok()?;
    let auths = config.as_object_mut()?.entry("auths").or_insert_with(|| json!({})).as_object_mut()?;
    auths.retain(|key, _| place(key) != registry);
    let Login { username, password } = login;
    let auth = BASE64_STANDARD.encode(format!("{username}:{password}"));
    // As `docker login` writes it.
    auths.insert(registry.to_owned(), json!({"username": username, "password": password, "auth": auth}));
    Some(config.to_string())
}

/// The encoded pair counts before the plain one.
fn login(Entry { username, password, auth }: Entry) -> Option<Login> {
    if auth.is_empty() {
        return Some(Login { username, password });
    }
    let text: String = auth.split_whitespace().collect();
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(text).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(Login { username: username.to_owned(), password: password.to_owned() })
}

/// Whether an entry's key covers an image, whose tag does not matter.
pub fn is_for(key: &str, image: &str) -> bool {
    let Ok(image) = reference(image) else { return false };
    let key = place(key);
    let (host, path) = key.split_at(key.find('/').unwrap_or(key.len()));
    if host == HUB && path.is_empty() && image.registry() == "docker.io" {
        return true;
    }
    let ((name, port), (wanted, wanted_port)) = (with_port(host), with_port(image.registry()));
    let (parts, wanted): (Vec<&str>, Vec<&str>) = (name.split('.').collect(), wanted.split('.').collect());
    port == wanted_port
        && parts.len() == wanted.len()
        && parts.iter().zip(wanted).all(|(part, wanted)| matches(part, wanted))
        && format!("/{}", image.repository()).starts_with(path)
}

/// Without what docker writes around it: a scheme, the version of its first protocols, a slash.
fn place(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = key.split_at(key.find('/').unwrap_or(key.len()));
    let path = if path.starts_with("/v1/") || path.starts_with("/v2/") { &path[3..] } else { path };
    format!("{host}{}", if path == "/" { "" } else { path })
}

fn with_port(host: &str) -> (&str, Option<&str>) {
    host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)))
}

/// `*`, `?` and `[a-z]` within one part of a host's name.
fn matches(glob: &str, text: &str) -> bool {
    let mut pattern = String::new();
    let mut in_class = false;
    for letter in glob.chars() {
        match letter {
            '[' | ']' => {
                in_class = letter == '[';
                pattern.push(letter);
            }
            _ if in_class => pattern.push(letter),
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            _ => pattern.push_str(&regex::escape(&letter.to_string())),
        }
    }
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_covers_what_the_kubelet_says_it_covers() {
        let check = |key: &str, image: &str, expected: bool| assert_eq!(is_for(key, image), expected, "{key} {image}");
        for key in ["ghcr.io", "https://ghcr.io", "http://ghcr.io/", "ghcr.io/v2/", "https://ghcr.io/v1/", "*.io"] {
            check(key, "ghcr.io/owner/name", true);
        }
        check("ghcr.io/owner", "ghcr.io/owner/name", true);
        check("https://ghcr.io/owner/", "ghcr.io/owner/name", true);
        check("ghcr.io/owner/name", "ghcr.io/owner/name", true);
        check("ghcr.io/other", "ghcr.io/owner/name", false);
        check("ghcr.io/owner/name/deeper", "ghcr.io/owner/name", false);
        check("ghcr.io", "ghcr.io:443/owner/name", false);
        check("registry.example:5000", "registry.example:5000/name", true);
        check("registry.example:5000", "registry.example:5001/name", false);
        check("registry.example", "registry.example:5000/name", false);
        check("*.registry.example", "eu.registry.example/name", true);
        check("*.registry.example", "registry.example/name", false);
        check("*.example", "eu.registry.example/name", false);
        check("registry-?.example", "registry-1.example/name", true);
        check("registry-[1-3].example", "registry-2.example/name", true);
        check("registry-[1-3].example", "registry-4.example/name", false);
        // The names that Docker's own registry has.
        for key in ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "https://index.docker.io/v2/"] {
            check(key, "owner/name", true);
            check(key, "docker.io/owner/name", true);
            check(key, "ghcr.io/owner/name", false);
        }
    }

    #[test]
    fn only_the_logins_of_the_secret_count_and_the_closest_one_first() {
        let check = |config: &Value, expected: &[(&str, &str)]| {
            let found = for_image(&config.to_string(), "ghcr.io/owner/name");
            let found: Vec<(&str, &str)> =
                found.iter().map(|login| (login.username.as_str(), login.password.as_str())).collect();
            assert_eq!(found, expected, "{config}");
        };
        check(&json!({"auths": {"ghcr.io": {"auth": "dXNlcjpwYXNz"}}}), &[("user", "pass")]);
        check(&json!({"auths": {"ghcr.io": {"auth": "bWU6YTpiYw==\n"}}}), &[("me", "a:bc")]);
        check(&json!({"auths": {"ghcr.io": {"auth": "bWU6YTpiYw"}}}), &[("me", "a:bc")]);
        check(&json!({"auths": {"ghcr.io": {"username": "me", "password": "x"}}}), &[("me", "x")]);
        check(&json!({"auths": {"ghcr.io": {"username": "no", "password": "no", "auth": "YTpi"}}}), &[("a", "b")]);
        check(
            &json!({"auths": {"ghcr.io": {"auth": "YTpi"}, "ghcr.io/owner": {"auth": "Yzpk"}, "*.io": {"auth": "ZTpm"}}}),
            &[("c", "d"), ("a", "b"), ("e", "f")],
        );
        // One that cannot be read, and what names a program.
        check(&json!({"auths": {"ghcr.io": {"auth": "YTpi"}, "quay.io": {"auth": "%"}}}), &[]);
        check(&json!({"credHelpers": {"ghcr.io": "any"}}), &[]);
        check(&json!({"credsStore": "any", "auths": {}}), &[]);
        check(&json!({"credsStore": "any", "auths": {"ghcr.io": {"auth": "YTpi"}}}), &[("a", "b")]);
        check(&json!(["no configuration"]), &[]);
    }

    #[test]
    fn a_new_login_leaves_those_of_other_registries_as_they_are() {
        let me = Login { username: "me".into(), password: "to\"ken".into() };
        let own = json!({"username": "me", "password": "to\"ken", "auth": BASE64_STANDARD.encode("me:to\"ken")});
        let check = |before: Option<Value>, expected: Option<Value>| {
            let text = before.as_ref().map(Value::to_string);
            let found = with_login(text.as_deref(), "ghcr.io", &me);
            assert_eq!(found.map(|text| serde_json::from_str(&text).expect("JSON")), expected, "{before:?}");
        };
        check(None, Some(json!({"auths": {"ghcr.io": own}})));
        check(Some(json!({})), Some(json!({"auths": {"ghcr.io": own}})));
        check(Some(json!({"auths": {"ghcr.io": {"auth": "YTpi"}}})), Some(json!({"auths": {"ghcr.io": own}})));
        check(Some(json!({"auths": {"https://ghcr.io/v2/": {}}})), Some(json!({"auths": {"ghcr.io": own}})));
        check(
            Some(
                json!({"auths": {"quay.io": {"auth": "YTpi", "email": "a@b"}, "ghcr.io/other": {}}, "HttpHeaders": {}}),
            ),
            Some(json!({
                "auths": {"quay.io": {"auth": "YTpi", "email": "a@b"}, "ghcr.io/other": {}, "ghcr.io": own}, "HttpHeaders": {}
            })),
        );
        check(Some(json!({"auths": []})), None);
        check(Some(json!("ghcr.io")), None);
        assert_eq!(with_login(Some("{"), "ghcr.io", &me), None);
    }
}
