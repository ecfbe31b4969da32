//! How wide the AppProject is: everything that it allows beyond this delivery is somebody's way in.

use serde_json::{Value, json};

use super::Verdict;
use super::automation::in_quotes;
use super::facts::{Facts, applied};

pub const NAME: &str = "project";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    if let Some(application) = facts.application.seen(verdict)
        && application["spec"]["project"] == "default"
    {
        verdict.find(
            "the Application is in the project default, which allows every repository, namespace and kind",
            "kubectl apply -f argocd/project.yaml -f argocd/application.yaml",
        );
        return;
    }
    let Some(project) = facts.project.seen(verdict) else {
        if facts.project.is_missing() {
            verdict
                .find(format!("there is no AppProject {}", facts.names.project), applied(facts, "argocd/project.yaml"));
        }
        return;
    };
    let spec = &project["spec"];
    let set = |field: &str, value: Value| {
        let (name, namespace) = (&facts.names.project, &facts.names.application_namespace);
        let patch = in_quotes(&json!({"spec": {field: value}}));
        format!("kubectl patch appprojects.argoproj.io {name} -n {namespace} --type=merge -p '{patch}'")
    };
    let namespace = &facts.names.namespace;
    if list(&spec["sourceRepos"]).any(has_star) {
        let own = facts
            .application
            .seen(&mut Verdict::default())
            .map(|application| &application["spec"]["source"]["repoURL"]);
        let own = own.cloned().unwrap_or_else(|| facts.names.repository.as_str().into());
        verdict
            .find("the project takes manifests from any repository that matches *", set("sourceRepos", json!([own])));
    }
    let live = facts.application.seen(&mut Verdict::default());
    if let Some(live) = live.and_then(|application| application["spec"]["source"]["repoURL"].as_str())
        && !list(&spec["sourceRepos"]).any(|each| each.as_str().is_some_and(|pattern| permits(pattern, live)))
    {
        let what = format!("the project does not permit {live}, which the Application reads: nothing is compared");
        verdict.find(what, applied(facts, "argocd/project.yaml"));
    }
    let destinations: Vec<&Value> = list(&spec["destinations"]).collect();
    if destinations
        .iter()
        .any(|destination| ["server", "name", "namespace"].iter().any(|field| has_star(&destination[*field])))
    {
        let own = json!([{"server": "https://kubernetes.default.svc", "namespace": namespace}]);
        verdict.find("the project writes into any namespace that matches *", set("destinations", own));
    }
    let in_cluster: Vec<&Value> = list(&spec["clusterResourceWhitelist"]).collect();
    let wide = |kind: &&Value| kind["name"].as_str().is_none_or(|name| name.is_empty() || name.contains('*'));
    if in_cluster.iter().any(|kind| is_any(kind) || wide(kind)) {
        let own = json!([{"group": "", "kind": "Namespace", "name": namespace}]);
        verdict.find(
            "the project writes cluster-wide objects beyond its own Namespace",
            set("clusterResourceWhitelist", own),
        );
    }
    let own = || json!([{"group": "apps", "kind": "Deployment"}, {"group": "", "kind": "Service"}]);
    // No list allows every kind; an empty one is no list.
    let mut kinds = list(&spec["namespaceResourceWhitelist"]).peekable();
    if kinds.peek().is_none() || kinds.any(is_any) {
        verdict.find(
            "the project writes objects of every kind into its namespace",
            set("namespaceResourceWhitelist", own()),
        );
    }
    if verdict.findings.is_empty() && verdict.unseen.is_empty() {
        let kinds = in_cluster.into_iter().chain(list(&spec["namespaceResourceWhitelist"]));
        let kinds: Vec<&str> = kinds.filter_map(|kind| kind["kind"].as_str()).collect();
        let repositories = list(&spec["sourceRepos"]).count();
        verdict.note(format!("repositories: {repositories}; namespace: {namespace}; kinds: {}", kinds.join(", ")));
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// As Argo CD compares: without what git leaves out too, and * stands for anything.
fn permits(pattern: &str, address: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches('/').trim_end_matches(".git").to_lowercase();
    let (pattern, address) = (plain(pattern), plain(address));
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| address.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    last.map_or(rest.is_empty(), |last| address.ends_with(last))
}

fn is_any(kind: &Value) -> bool {
    has_star(&kind["group"]) || has_star(&kind["kind"])
}

fn has_star(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('*'))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy, with};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn each_way_in_which_a_project_is_too_wide_is_found() {
        check(look, &healthy(), &[]);
        let project =
            |field: &str, value: Value| with(|facts| &mut facts.project, |project| project["spec"][field] = value);
        check(look, &project("sourceRepos", json!(["*"])), &["from any repository"]);
        let destination =
            |namespace: &str| json!([{"server": "https://kubernetes.default.svc", "namespace": namespace}]);
        check(look, &project("destinations", destination("*")), &["into any namespace"]);
        check(look, &project("destinations", destination("argo-*")), &["into any namespace"]);
        let wide = "cluster-wide objects beyond its own Namespace";
        check(look, &project("clusterResourceWhitelist", json!([{"group": "*", "kind": "*"}])), &[wide]);
        check(look, &project("clusterResourceWhitelist", json!([{"group": "", "kind": "Namespace"}])), &[wide]);
        check(look, &project("clusterResourceWhitelist", json!([])), &[]);
        check(look, &project("namespaceResourceWhitelist", Value::Null), &["objects of every kind"]);
        check(
            look,
            &project("namespaceResourceWhitelist", json!([{"group": "apps", "kind": "*"}])),
            &["objects of every kind"],
        );
        let default =
            with(|facts| &mut facts.application, |application| application["spec"]["project"] = "default".into());
        check(look, &default, &["is in the project default"]);
        let mut missing = healthy();
        missing.project = Fact::Missing;
        check(look, &missing, &["there is no AppProject argo-rust"]);
    }

    #[test]
    fn a_repository_that_the_project_does_not_permit_is_found_with_a_mend_that_permits_it() {
        let mut facts = healthy();
        if let Fact::Found(application) = &mut facts.application {
            application["spec"]["source"]["repoURL"] = "http://10.0.0.1:3000/a/b.git".into();
        }
        check(look, &facts, &["the project does not permit http://10.0.0.1:3000/a/b.git"]);
        assert!(applied(&facts, "argocd/project.yaml").contains("|http://10.0.0.1:3000/a/b.git|' argocd/project.yaml"));
        for (pattern, address, expected) in [
            ("https://a.example/b/c.git", "https://a.example/b/c", true),
            ("https://a.example/b/*", "https://a.example/b/c.git", true),
            ("https://a.example/*/c", "https://a.example/b/c.git", true),
            ("https://a.example/b/c", "https://a.example/b/cd", false),
            ("https://a.example/b/*", "https://b.example/b/c", false),
            ("*", "anything", true),
        ] {
            assert_eq!(permits(pattern, address), expected, "{pattern} {address}");
        }
    }
}
