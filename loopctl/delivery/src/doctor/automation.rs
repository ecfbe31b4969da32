//! Whether Argo CD delivers without a hand: automated syncs that prune, heal and do not give up.

use serde_json::{Value, json};

use super::Verdict;
use super::facts::{Facts, applied};

pub const NAME: &str = "automation";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(application) = facts.application.seen(verdict) else { return };
    let policy = &application["spec"]["syncPolicy"];
    let automated = &policy["automated"];
    if automated.is_null() || automated["enabled"] == false {
        let on =
            json!([{"op": "add", "path": "/spec/syncPolicy/automated", "value": {"prune": true, "selfHeal": true}}]);
        verdict.find("syncs are not automated: a commit waits for a person", patch(facts, &on));
        return;
    }
    for (setting, effect) in [
        ("prune", "an object whose file leaves k8s/ stays in the cluster"),
        ("selfHeal", "a manual edit stays until the next commit"),
    ] {
        if automated[setting] != true {
            let on = json!([{"op": "add", "path": format!("/spec/syncPolicy/automated/{setting}"), "value": true}]);
            verdict.find(format!("{setting} is off: {effect}"), patch(facts, &on));
        }
    }
    if policy["retry"]["limit"] != -1 {
        let tries = policy["retry"]["limit"].as_i64().unwrap_or(5);
        let for_ever = json!([{"op": "add", "path": "/spec/syncPolicy/retry", "value": {
            "limit": -1, "refresh": true, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"},
        }}]);
        let what = format!("a sync that failed {tries} times is not tried again for the same commit");
        verdict.find(what, patch(facts, &for_ever));
    }
    let conditions = application["status"]["conditions"].as_array().into_iter().flatten();
    for condition in conditions.filter(|condition| is_error(condition)) {
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        // A sync cannot permit what the project does not.
        let of_project = text("message").contains(" in project ");
        let mend = if of_project { applied(facts, "argocd/project.yaml") } else { "cargo loopctl sync".to_owned() };
        verdict.find(format!("Argo CD says {}: {}", text("type"), text("message")), mend);
    }
    if verdict.findings.is_empty() {
        verdict.note("prune, selfHeal, retries without end");
    }
}

fn is_error(condition: &Value) -> bool {
    condition["type"].as_str().is_some_and(|kind| kind.ends_with("Error"))
}

/// A command that changes the Application in the cluster, whoever applied it and from which repository.
pub fn patch(facts: &Facts, patch: &Value) -> String {
    let names = &facts.names;
    let (namespace, name) = (&names.application_namespace, &names.application);
    format!("kubectl patch applications.argoproj.io {name} -n {namespace} --type=json -p '{}'", in_quotes(patch))
}

/// JSON within single quotes of a shell.
pub fn in_quotes(patch: &Value) -> String {
    patch.to_string().replace('\'', r"'\''")
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy, with};
    use super::*;

    fn policy(change: impl FnOnce(&mut Value)) -> Facts {
        with(|facts| &mut facts.application, |application| change(&mut application["spec"]["syncPolicy"]))
    }

    #[test]
    fn what_keeps_a_commit_waiting_for_a_person_is_found() {
        check(look, &healthy(), &[]);
        check(look, &policy(|policy| policy["automated"] = Value::Null), &["syncs are not automated"]);
        check(look, &policy(|policy| policy["automated"]["enabled"] = false.into()), &["syncs are not automated"]);
        check(look, &policy(|policy| policy["automated"]["selfHeal"] = false.into()), &["selfHeal is off"]);
        check(look, &policy(|policy| policy["automated"]["prune"] = Value::Null), &["prune is off"]);
        check(look, &policy(|policy| policy["retry"] = Value::Null), &["a sync that failed 5 times"]);
        let broken = with(
            |facts| &mut facts.application,
            |application| {
                application["status"]["conditions"] =
                    json!([{"type": "ComparisonError", "message": "no such repository"}]);
            },
        );
        check(look, &broken, &["Argo CD says ComparisonError: no such repository"]);
    }
}
