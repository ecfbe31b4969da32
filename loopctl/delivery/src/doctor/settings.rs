//! What the loop needs of Argo CD's own settings, and settings that Argo CD has given up.

use super::Verdict;
use super::facts::Facts;
use super::tracking::without;

/// Read when they start, so a change needs a restart of both.
const RESTART: &str =
    "kubectl rollout restart -n argocd deployment/argocd-repo-server statefulset/argocd-application-controller";

/// Argo CD reads them no more, or says that it will not.
const GIVEN_UP: [(&str, &str); 4] = [
    ("repositories", "repositories are Secrets with the label argocd.argoproj.io/secret-type since version 3.0"),
    (
        "repository.credentials",
        "credentials are Secrets with the label argocd.argoproj.io/secret-type since version 3.0",
    ),
    ("helm.repositories", "repositories are Secrets with the label argocd.argoproj.io/secret-type since version 3.0"),
    ("configManagementPlugins", "plugins are containers beside the repo server since version 2.8"),
];

pub const NAME: &str = "settings";

/// Under a name of its own, so that nobody else's fields are taken.
fn apply(facts: &Facts) -> String {
    format!("kubectl apply --server-side --field-manager={} -f argocd/settings.yaml", facts.names.application)
}

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(settings) = facts.settings.seen(verdict) else {
        if facts.settings.is_missing() {
            let what = format!("there is no ConfigMap argocd-cm in namespace {}", facts.names.application_namespace);
            verdict.find(what, apply(facts));
        }
        return;
    };
    let text = |key: &str| settings[key].as_str().unwrap_or_default();
    if text("application.sync.impersonation.enabled") != "true" {
        let what = "a sync acts as Argo CD's controller and not as the account that the project names";
        verdict.find(what, format!("{} && {RESTART}", apply(facts)));
    }
    match text("timeout.reconciliation") {
        "" => {
            let what = "timeout.reconciliation is not set: a commit is detected after two minutes or more";
            verdict.find(what, format!("{} && {RESTART}", apply(facts)));
        }
        "0" | "0s" => {
            let what = "timeout.reconciliation is 0: no commit is detected without a webhook or `cargo loopctl sync`";
            verdict.find(what, format!("{} && {RESTART}", apply(facts)));
        }
        interval => verdict.note(format!("git is asked every {interval}, syncs act as an account of their own")),
    }
    for (key, instead) in GIVEN_UP.iter().filter(|(key, _)| !settings[*key].is_null()) {
        verdict.find(format!("argocd-cm has {key}, which is not read any more: {instead}"), without(facts, key));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::cases::{check, healthy, with};
    use super::*;

    #[test]
    fn what_the_loop_needs_and_what_is_given_up_is_found() {
        check(look, &healthy(), &[]);
        let set = |key: &str, value: &str| {
            let value = if value.is_empty() { Value::Null } else { value.into() };
            with(|facts| &mut facts.settings, |settings| settings[key] = value)
        };
        check(look, &set("application.sync.impersonation.enabled", ""), &["a sync acts as Argo CD's controller"]);
        check(look, &set("timeout.reconciliation", ""), &["timeout.reconciliation is not set"]);
        check(look, &set("timeout.reconciliation", "0s"), &["timeout.reconciliation is 0"]);
        check(look, &set("repositories", "- url: x"), &["argocd-cm has repositories"]);
        check(look, &set("configManagementPlugins", "- name: x"), &["argocd-cm has configManagementPlugins"]);
    }
}
