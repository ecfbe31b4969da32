//! The login of whoever runs this, in their own docker configuration. There a program may be named that keeps it.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use serde_json::Value;

use super::{logins, reference};
use crate::process;

/// A helper that asks its user for a password is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    username: String,
    secret: String,
}

/// None where there is none for the image's registry.
pub fn login(image: &str) -> Option<RegistryAuth> {
    let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(env::home_dir()?.join(".docker")))?;
    let text = fs::read_to_string(folder.join("config.json")).ok()?;
    of(&text, image)
}

fn of(text: &str, image: &str) -> Option<RegistryAuth> {
    let config: Value = serde_json::from_str(text).ok()?;
    let host = reference(image).ok()?.registry().to_owned();
    let name = if host == "docker.io" { "https://index.docker.io/v1/" } else { host.as_str() };
    if let Some(helper) = config["credHelpers"][name].as_str().filter(|helper| !helper.is_empty()) {
        return ask(helper, name);
    }
    let entries = config["auths"].as_object().into_iter().flatten();
    let mut tokens = entries.filter(|(key, _)| logins::is_for(key, image)).map(|(_, entry)| &entry["identitytoken"]);
    if let Some(token) = tokens.find_map(Value::as_str).filter(|token| !token.is_empty()) {
        return Some(RegistryAuth::Bearer(token.to_owned()));
    }
    // Beside a store docker leaves entries with nothing in them.
    let mut written = logins::for_image(text, image).into_iter().filter(|login| !login.username.is_empty());
    if let Some(login) = written.next() {
        return Some(RegistryAuth::Basic(login.username, login.password));
    }
    ask(config["credsStore"].as_str().filter(|store| !store.is_empty())?, name)
}

fn ask(helper: &str, host: &str) -> Option<RegistryAuth> {
    let mut program = Command::new(format!("docker-credential-{helper}"));
    let output =
        process::run(program.arg("get"), host.into(), PATIENCE).ok().filter(|output| output.status.success())?;
    let kept: Kept = serde_json::from_slice(&output.stdout).ok()?;
    Some(match kept.username.as_str() {
        "<token>" => RegistryAuth::Bearer(kept.secret),
        _ => RegistryAuth::Basic(kept.username, kept.secret),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_login_that_is_written_down_is_found_and_a_program_that_is_missing_is_none() {
        let check = |config: &Value, expected: Option<RegistryAuth>| {
            assert_eq!(of(&config.to_string(), "ghcr.io/owner/name"), expected, "{config}");
        };
        let basic = || Some(RegistryAuth::Basic("a".into(), "b".into()));
        check(&json!({"auths": {"ghcr.io": {"auth": "YTpi"}}}), basic());
        check(&json!({"auths": {"https://ghcr.io/v2/": {"auth": "YTpi"}}, "credsStore": "none-such"}), basic());
        check(&json!({"auths": {"ghcr.io": {"identitytoken": "t"}}}), Some(RegistryAuth::Bearer("t".into())));
        check(&json!({"auths": {"ghcr.io": {}}, "credsStore": "none-such"}), None);
        check(&json!({"auths": {"ghcr.io": {"auth": "YTpi"}}, "credHelpers": {"ghcr.io": "none-such"}}), None);
        check(&json!({"auths": {"quay.io": {"auth": "YTpi"}}}), None);
    }
}
