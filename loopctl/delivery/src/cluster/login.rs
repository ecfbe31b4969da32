//! How the kubeconfig's user logs in: a token as it can be sent, or a program that has one, which is never given a
//! terminal and never waited for without end.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::access::NoAccess;
use crate::process::{self, Failed};

/// A program may have to ask somebody far away.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Credential {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    token: Option<String>,
    expiration_timestamp: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The same user, with nothing left that fails only when a request is sent.
pub fn prepare(mut user: AuthInfo) -> Result<AuthInfo> {
    if let Some(token) = &user.token {
        user.token = Some(sendable(token.expose_secret(), "the kubeconfig's token")?);
    }
    if user.token.is_none()
        && let Some(file) = &user.token_file
    {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| NoAccess(format!("cannot read the token file {file}: {error}")))?;
        let token = sendable(&text, &format!("the token in {file}"))?;
        // One that can be sent as it is may be read again later: whoever wrote it may renew it.
        if text.trim() != text {
            (user.token, user.token_file) = (Some(token), None);
        }
    }
    let has_other = user.token.is_some() || user.token_file.is_some() || user.auth_provider.is_some();
    if !has_other && let Some(exec) = user.exec.take() {
        return run(user, exec);
    }
    Ok(user)
}

/// Without the newline at its end that an editor or `echo` has put there.
fn sendable(token: &str, what: &str) -> Result<SecretString> {
    let token = token.trim();
    if token.is_empty() || token.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
        let has = if token.is_empty() { "is empty" } else { "is no token: it has a space or a line break in it" };
        return Err(NoAccess(format!("{what} {has}; log in again, or choose another --context")).into());
    }
    Ok(SecretString::from(token.to_owned()))
}

fn run(mut user: AuthInfo, mut exec: ExecConfig) -> Result<AuthInfo> {
    exec.interactive_mode = Some(ExecInteractiveMode::Never);
    let name = exec.command.clone().context("the kubeconfig's exec names no command")?;
    let mut program = Command::new(&name);
    program.args(exec.args.iter().flatten());
    let pair = |pair: &HashMap<String, String>| Some((pair.get("name")?.clone(), pair.get("value")?.clone()));
    program.envs(exec.env.iter().flatten().filter_map(pair));
    let spec = json!({"interactive": false, "cluster": exec.cluster});
    let question = json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec});
    program.env("KUBERNETES_EXEC_INFO", question.to_string());
    let refused = |what: String| {
        anyhow!(NoAccess(format!("the kubeconfig's user logs in with the program {name}, which {what}")))
    };
    let output = process::run(&mut program, Vec::new(), PATIENCE).map_err(|failed| match failed {
        Failed::Start(error) if error.kind() == ErrorKind::NotFound => {
            let hint = exec.install_hint.as_deref().map(readable).unwrap_or_default();
            let hint = if hint.is_empty() { "install it, or choose another --context".to_owned() } else { hint };
            refused(format!("is not installed: {hint}"))
        }
        Failed::Start(error) => refused(format!("cannot be run: {error}")),
        Failed::Time => refused(format!(
            "has not answered within {} s; it may want to ask something: run `kubectl version` once in a terminal, then \
             try again",
            PATIENCE.as_secs()
        )),
    })?;
    if !output.status.success() {
        let said = readable(&String::from_utf8_lossy(&output.stderr));
        return Err(refused(format!(
            "failed ({}): {said}; log in again: `kubectl version` in a terminal shows what it asks",
            output.status
        )));
    }
    let credential: Result<Credential, _> = serde_json::from_slice(&output.stdout);
    let status =
        credential.map_err(|_| refused("has answered with something else than a credential".to_owned()))?.status;
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        (user.client_certificate_data, user.client_key_data) = (Some(certificate), Some(SecretString::from(key)));
    }
    match status.token {
        // It is asked again when the token is over.
        Some(token) if status.expiration_timestamp.is_some() && user.client_certificate_data.is_none() => {
            sendable(&token, &format!("the token of the program {name}"))?;
            user.exec = Some(exec);
        }
        Some(token) => user.token = Some(sendable(&token, &format!("the token of the program {name}"))?),
        None if user.client_certificate_data.is_some() => {}
        None => return Err(refused("has answered without a token or a certificate".to_owned())),
    }
    Ok(user)
}

/// The last lines, as one, without what would steer a terminal.
fn readable(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    last.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(user: &str, expected: Result<Option<&str>, &str>) {
        let parsed: AuthInfo = serde_saphyr::from_str(user).expect("the case is YAML");
        match (prepare(parsed), expected) {
            (Ok(found), Ok(token)) => {
                assert_eq!(found.token.as_ref().map(|token| token.expose_secret()), token, "{user}");
            }
            (Err(error), Err(words)) => {
                let text = format!("{error:#}");
                assert!(text.contains(words), "{user}: {text}");
                assert!(crate::access::is_refused(&error), "{user}: it ends with no access");
            }
            (found, _) => panic!("{user}: {:?} where {expected:?} is right", found.map(|_| "a user")),
        }
    }

    #[test]
    fn a_token_is_sent_without_what_stands_around_it_or_not_at_all() {
        check("token: abc", Ok(Some("abc")));
        check("token: \"abc\\n\"", Ok(Some("abc")));
        check("token: \" abc\\r\\n\"", Ok(Some("abc")));
        check("token: \"abc\\ndef\"", Err("the kubeconfig's token is no token"));
        check("token: \"\\n\"", Err("the kubeconfig's token is empty"));
        check("{}", Ok(None));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let of_file = format!("tokenFile: {}", file.display());
        check(&of_file, Err("cannot read the token file"));
        for (text, token) in [("abc\n", Ok(Some("abc"))), ("abc", Ok(None)), ("a\nb", Err("is no token"))] {
            std::fs::write(&file, text).expect("it is written");
            check(&of_file, token);
        }
    }

    #[test]
    fn a_program_that_does_not_log_in_is_named_with_what_to_do() {
        let program = |script: &str| format!("exec: {{command: sh, args: [-c, {}]}}", json!(script));
        let says = |status: &str| program(&format!("printf %s '{{\"kind\":\"ExecCredential\",\"status\":{status}}}'"));
        check(&says(r#"{"token":"abc\n"}"#), Ok(Some("abc")));
        // Asked again when it is over.
        check(&says(r#"{"token":"abc","expirationTimestamp":"2100-01-01T00:00:00Z"}"#), Ok(None));
        check(&says(r#"{"token":"a\nb"}"#), Err("the token of the program sh is no token"));
        check(&says("{}"), Err("without a token or a certificate"));
        check(&program("echo hello"), Err("something else than a credential"));
        check(&program("echo 'Your session has \u{1b}[2Jexpired' >&2; exit 1"), Err("Your session has  [2Jexpired"));
        // There is no terminal to ask on.
        check(&program("read answer || { echo no answer >&2; exit 3; }"), Err("no answer"));
        check("exec: {command: none-such-program}", Err("none-such-program, which is not installed: install it"));
        check("exec: {command: none-such, installHint: get it there}", Err("is not installed: get it there"));
    }
}
