//! Settings of the Application that would lose the sizing: at the next bump, or at once.

use serde_json::{Value, json};

use super::Verdict;
use super::automation::patch;
use super::facts::Facts;

const RESPECT: &str = "RespectIgnoreDifferences=true";

pub const NAME: &str = "sizing kept";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let before = verdict.findings.len();
    let Some(application) = facts.application.seen(verdict) else { return };
    let options = texts(&application["spec"]["syncPolicy"]["syncOptions"]);
    if !options.contains(&RESPECT) {
        let add = if application["spec"]["syncPolicy"]["syncOptions"].is_array() {
            json!([{"op": "add", "path": "/spec/syncPolicy/syncOptions/-", "value": RESPECT}])
        } else {
            json!([{"op": "add", "path": "/spec/syncPolicy/syncOptions", "value": [RESPECT]}])
        };
        verdict.find(format!("without {RESPECT} the next sync resets the sizing to that of git"), patch(facts, &add));
    }
    for option in ["Replace=true", "Force=true"] {
        if let Some(at) = options.iter().position(|each| *each == option) {
            let path = format!("/spec/syncPolicy/syncOptions/{at}");
            let remove = json!([{"op": "remove", "path": path}]);
            verdict.find(format!("{option} puts whole objects in the place of those that live"), patch(facts, &remove));
        }
    }
    differences(facts, application, verdict);
    if verdict.findings.len() == before {
        verdict.note("replicas, resources and NodePort are ignored and respected");
    }
}

fn differences(facts: &Facts, application: &Value, verdict: &mut Verdict) {
    let entries: Vec<&Value> = application["spec"]["ignoreDifferences"].as_array().into_iter().flatten().collect();
    // The whole list is put right at once: a patch of one entry would have to know its place.
    let mend = || patch(facts, &json!([{"op": "add", "path": "/spec/ignoreDifferences", "value": wanted(facts)}]));
    let names = &facts.names;
    for (group, kind, name, fields) in [
        ("apps", "Deployment", &names.deployment, &["replicas", "resources"][..]),
        ("", "Service", &names.service, &["nodePort"][..]),
    ] {
        let of_kind = entries.iter().copied().filter(|entry| entry["kind"] == kind && is_about(entry, name));
        let (right, wrong): (Vec<&Value>, Vec<&Value>) = of_kind.partition(|entry| text(&entry["group"]) == group);
        for field in fields.iter().filter(|field| !right.iter().any(|entry| covers(entry, field))) {
            let what = if wrong.iter().any(|entry| covers(entry, field)) {
                let said = text(&wrong[0]["group"]);
                format!(
                    "ignoreDifferences names {kind} {name} with group {said:?} instead of {group:?}, so {field} is not ignored"
                )
            } else {
                format!("ignoreDifferences has no entry for {field} of {kind} {name}, so a sync takes it from OpenTofu")
            };
            verdict.find(what, mend());
        }
    }
    for entry in &entries {
        if entry["managedFieldsManagers"].as_array().is_some_and(|managers| !managers.is_empty()) {
            let what =
                "managedFieldsManagers in ignoreDifferences also hides the image once that manager has written it";
            verdict.find(what, mend());
        }
    }
}

/// As argocd/application.yaml has it.
fn wanted(facts: &Facts) -> Value {
    json!([
        {
            "group": "apps", "kind": "Deployment", "name": facts.names.deployment,
            "jsonPointers": ["/spec/replicas", "/spec/template/spec/containers/0/resources"],
        },
        {"group": "", "kind": "Service", "name": facts.names.service, "jqPathExpressions": [".spec.ports[].nodePort"]},
    ])
}

fn is_about(entry: &Value, name: &str) -> bool {
    [None, Some(name)].contains(&entry["name"].as_str().filter(|name| !name.is_empty()))
}

fn covers(entry: &Value, field: &str) -> bool {
    let paths = texts(&entry["jsonPointers"]).into_iter().chain(texts(&entry["jqPathExpressions"]));
    paths.into_iter().any(|path| path.trim_end_matches("[]").ends_with(field))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy, with};
    use super::*;

    fn application(change: impl FnOnce(&mut Value)) -> Facts {
        with(|facts| &mut facts.application, |application| change(&mut application["spec"]))
    }

    #[test]
    fn each_setting_that_loses_the_sizing_is_found() {
        check(look, &healthy(), &[]);
        let options = |options: Value| application(|spec| spec["syncPolicy"]["syncOptions"] = options);
        check(look, &options(json!(["CreateNamespace=true"])), &["without RespectIgnoreDifferences=true"]);
        check(look, &options(Value::Null), &["without RespectIgnoreDifferences=true"]);
        check(look, &options(json!([RESPECT, "Replace=true"])), &["Replace=true puts whole objects"]);
        let without_group = |spec: &mut Value| spec["ignoreDifferences"][0]["group"] = "".into();
        check(look, &application(without_group), &["with group \"\" instead of \"apps\", so replicas", "so resources"]);
        let without_service = |spec: &mut Value| spec["ignoreDifferences"][1]["kind"] = "Ingress".into();
        check(look, &application(without_service), &["no entry for nodePort of Service argo-rust"]);
        let of_another = |spec: &mut Value| spec["ignoreDifferences"][1]["name"] = "other".into();
        check(look, &application(of_another), &["no entry for nodePort of Service argo-rust"]);
        let none = application(|spec| spec["ignoreDifferences"] = Value::Null);
        check(look, &none, &["no entry for replicas", "no entry for resources", "no entry for nodePort"]);
        let managers = |spec: &mut Value| spec["ignoreDifferences"][0]["managedFieldsManagers"] = json!(["HashiCorp"]);
        check(look, &application(managers), &["managedFieldsManagers in ignoreDifferences"]);
        let by_name = |spec: &mut Value| {
            let entry = &mut spec["ignoreDifferences"][0];
            entry["jsonPointers"] = json!(["/spec/replicas"]);
            entry["jqPathExpressions"] =
                json!([".spec.template.spec.containers[] | select(.name == \"argo-rust\") | .resources"]);
        };
        check(look, &application(by_name), &[]);
    }
}
