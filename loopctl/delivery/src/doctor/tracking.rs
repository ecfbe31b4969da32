//! Argo CD's marks on the objects: by which it knows them as its own, and by which it never deletes two of them.

use serde_json::Value;

use super::Verdict;
use super::facts::{Fact, Facts};

const TRACKING: &str = "argocd.argoproj.io/tracking-id";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const SYNC: &str = "cargo loopctl sync";

pub const NAME: &str = "tracking";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let names = &facts.names;
    let before = verdict.findings.len();
    for (fact, kind, name) in [
        (&facts.namespace, "/Namespace", &names.namespace),
        (&facts.service, "/Service", &names.service),
        (&facts.deployment, "apps/Deployment", &names.deployment),
    ] {
        let short = kind.trim_start_matches("apps").trim_start_matches('/');
        let Some(object) = fact.seen(verdict) else {
            if fact.is_missing() {
                verdict.find(format!("there is no {short} {name}"), SYNC);
            }
            continue;
        };
        let annotations = &object["metadata"]["annotations"];
        let expected = format!("{}:{kind}:{}/{name}", names.application, names.namespace);
        match annotations[TRACKING].as_str() {
            Some(id) if id == expected => {}
            Some(id) => verdict.find(format!("{short} {name} belongs to another Application, by its mark {id}"), SYNC),
            None => verdict
                .find(format!("{short} {name} has lost Argo CD's mark, so it is neither compared nor pruned"), SYNC),
        }
        if short != "Deployment" && !keeps(&annotations[OPTIONS]) {
            let what =
                format!("{short} {name} is deleted when its file leaves git: Prune=false,Delete=false is missing");
            verdict.find(what, SYNC);
        }
    }
    if let Fact::Found(settings) = &facts.settings
        && settings["application.resourceTrackingMethod"] == "label"
    {
        let what = "Argo CD tracks by label, which is deprecated: other tools write the same label";
        verdict.find(what, without(facts, "application.resourceTrackingMethod"));
    }
    if verdict.findings.len() == before && verdict.unseen.is_empty() {
        verdict.note("all three objects are Argo CD's, and it deletes neither Namespace nor Service");
    }
}

fn keeps(options: &Value) -> bool {
    let options = options.as_str().unwrap_or_default();
    ["Prune=false", "Delete=false"].iter().all(|wanted| options.split(',').any(|option| option.trim() == *wanted))
}

/// Takes one key out of argocd-cm.
pub fn without(facts: &Facts, key: &str) -> String {
    let patch = serde_json::json!({"data": {key: null}});
    format!("kubectl patch configmap argocd-cm -n {} --type=merge -p '{patch}'", facts.names.application_namespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cases::{check, healthy, with};
    use super::*;

    #[test]
    fn an_object_without_argo_cds_marks_is_found() {
        check(look, &healthy(), &[]);
        let deployment =
            |id: Value| with(|facts| &mut facts.deployment, |object| object["metadata"]["annotations"][TRACKING] = id);
        check(look, &deployment(Value::Null), &["Deployment argo-rust has lost Argo CD's mark"]);
        check(
            look,
            &deployment(json!("other:apps/Deployment:argo-rust/argo-rust")),
            &["belongs to another Application"],
        );
        let namespace = with(
            |facts| &mut facts.namespace,
            |object| {
                object["metadata"]["annotations"][OPTIONS] = "Prune=false".into();
            },
        );
        check(look, &namespace, &["Namespace argo-rust is deleted when its file leaves git"]);
        let mut missing = healthy();
        missing.service = Fact::Missing;
        check(look, &missing, &["there is no Service argo-rust"]);
        let label = with(
            |facts| &mut facts.settings,
            |settings| {
                settings["application.resourceTrackingMethod"] = "label".into();
            },
        );
        check(look, &label, &["Argo CD tracks by label"]);
    }
}
