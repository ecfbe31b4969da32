//! Whether Argo CD looks at this delivery at all: the Application, the branch that it watches, and what keeps it still.

use serde_json::json;

use super::Verdict;
use super::automation::patch;
use super::facts::{Facts, applied};

const SKIP: &str = "argocd.argoproj.io/skip-reconcile";

pub const NAME: &str = "application";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let names = &facts.names;
    let (namespace, name) = (&names.application_namespace, &names.application);
    let Some(application) = facts.application.seen(verdict) else {
        if facts.application.is_missing() {
            let what = format!("there is no Application {name} in namespace {namespace}: no commit is delivered");
            verdict.find(what, applied(facts, "argocd/application.yaml"));
        }
        return;
    };
    if !application["metadata"]["deletionTimestamp"].is_null() {
        let what = format!("Application {name} is being deleted, and waits for its finalizers");
        verdict.find(what, format!("kubectl get applications.argoproj.io {name} -n {namespace} -o yaml"));
    }
    if application["metadata"]["annotations"][SKIP] == "true" {
        let what = format!("the annotation {SKIP} keeps Argo CD from looking at anything");
        verdict.find(what, format!("kubectl annotate applications.argoproj.io {name} -n {namespace} {SKIP}-"));
    }
    let watched = &application["spec"]["source"]["targetRevision"];
    let branch = watched.as_str().unwrap_or("HEAD");
    let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    if application["spec"]["source"].is_null() {
        if application["spec"]["sources"].is_array() {
            verdict.note("it has several sources");
        }
    } else if short == "HEAD" || short.is_empty() {
        verdict.note("it watches the repository's default branch");
    } else if short == names.branch {
        verdict.note(format!("it watches {short}"));
    } else {
        let back = json!([{"op": "replace", "path": "/spec/source/targetRevision", "value": names.branch}]);
        verdict.find(format!("Argo CD watches {short}, and not {}", names.branch), patch(facts, &back));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::cases::{check, healthy, with};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn what_keeps_argo_cd_from_this_delivery_is_found() {
        let but = |change: fn(&mut Value)| with(|facts| &mut facts.application, change);
        check(look, &healthy(), &[]);
        check(look, &but(|app| app["spec"]["source"]["targetRevision"] = "other".into()), &["Argo CD watches other"]);
        check(look, &but(|app| app["spec"]["source"]["targetRevision"] = "v1.0".into()), &["Argo CD watches v1.0"]);
        for same in ["refs/heads/master", "HEAD", ""] {
            let facts =
                with(|facts| &mut facts.application, |app| app["spec"]["source"]["targetRevision"] = same.into());
            check(look, &facts, &[]);
        }
        check(look, &but(|app| app["spec"]["source"] = Value::Null), &[]);
        check(look, &but(|app| app["metadata"]["annotations"] = json!({SKIP: "true"})), &["skip-reconcile"]);
        check(look, &but(|app| app["metadata"]["annotations"] = json!({SKIP: "false"})), &[]);
        let leaving = but(|app| app["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z".into());
        check(look, &leaving, &["is being deleted"]);
    }

    #[test]
    fn a_missing_application_is_made_with_the_address_that_the_project_permits() {
        let mut missing = healthy();
        missing.application = Fact::Missing;
        check(look, &missing, &["there is no Application argo-rust"]);
        let mend = |facts: &Facts| applied(facts, "argocd/application.yaml");
        assert_eq!(mend(&missing), "kubectl apply -f argocd/application.yaml");
        if let Fact::Found(project) = &mut missing.project {
            project["spec"]["sourceRepos"] = json!(["http://10.0.0.1:3000/a/b.git"]);
        }
        let own = &missing.names.repository;
        let expected =
            format!("sed 's|{own}|http://10.0.0.1:3000/a/b.git|' argocd/application.yaml | kubectl apply -f -");
        assert_eq!(mend(&missing), expected);
    }
}
