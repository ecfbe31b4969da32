use serde_json::json;

use crate::repository::{container, delivered, files, yaml, yaml_documents};

#[test]
fn the_project_the_application_and_the_account_name_the_same_things() {
    let repository = yaml("argocd/application.yaml")["spec"]["source"]["repoURL"].clone();
    for service in delivered() {
        let name = service.name.as_str();
        let (project, application) = (yaml(&service.argocd("project.yaml")), yaml(&service.argocd("application.yaml")));
        let destination = json!({ "server": "https://kubernetes.default.svc", "namespace": name });
        assert_eq!(application["metadata"]["name"], name);
        assert_eq!(application["spec"]["project"], project["metadata"]["name"], "{name}");
        assert_eq!(application["spec"]["source"]["repoURL"], repository, "{name}");
        assert_eq!(application["spec"]["source"]["path"], service.manifests.as_str(), "{name}");
        assert_eq!(application["spec"]["destination"], destination, "{name}");
        assert_eq!(project["spec"]["sourceRepos"], json!([repository]), "{name}");
        assert_eq!(project["spec"]["destinations"], json!([destination]), "{name}");
        let namespaces = json!([{ "group": "", "kind": "Namespace", "name": name }]);
        assert_eq!(project["spec"]["clusterResourceWhitelist"], namespaces, "{name}");

        let account = &project["spec"]["destinationServiceAccounts"][0];
        assert_eq!(account["namespace"], name);
        let documents = yaml_documents(&service.argocd("sync-account.yaml"));
        let service_account = &documents[0]["metadata"];
        let expected = format!("{}:{}", service_account["namespace"], service_account["name"]).replace('"', "");
        assert_eq!(account["defaultServiceAccount"], expected.as_str(), "{name}");
        // The controller acts as the own service's account by controller-role.yaml, as others' by a Role of theirs.
        let mut rules = yaml("argocd/controller-role.yaml")["rules"].as_array().unwrap().clone();
        let roles = documents.iter().filter(|document| document["metadata"]["namespace"] == "argocd");
        rules.extend(roles.filter_map(|role| role["rules"].as_array()).flatten().cloned());
        let may_act = |rule: &serde_json::Value| {
            rule["verbs"] == json!(["impersonate"]) && rule["resourceNames"] == json!([service_account["name"]])
        };
        assert!(rules.iter().any(may_act), "no Role lets Argo CD's controller act as {}", service_account["name"]);
    }
    assert_eq!(
        yaml("argocd/settings.yaml")["data"]["application.sync.impersonation.enabled"],
        "true",
        "without it destinationServiceAccounts has no effect"
    );
}

#[test]
fn each_account_may_write_its_own_namespace_and_no_other() {
    for service in delivered() {
        for document in yaml_documents(&service.argocd("sync-account.yaml")) {
            let (kind, namespace) = (&document["kind"], &document["metadata"]["namespace"]);
            if kind == "Role" {
                assert!(namespace == service.name.as_str() || namespace == "argocd", "{}: {namespace}", service.name);
            }
            if kind == "ClusterRole" {
                let only = json!([{
                    "apiGroups": [""], "resources": ["namespaces"], "resourceNames": [service.name],
                    "verbs": ["get", "patch"],
                }]);
                assert_eq!(document["rules"], only, "{}", service.name);
            }
        }
    }
}

#[test]
fn no_two_services_have_one_name_or_one_nodeport() {
    let services = delivered();
    let mut ports: Vec<String> = services
        .iter()
        .map(|service| yaml(&service.manifest("service.yaml"))["spec"]["ports"][0]["nodePort"].to_string())
        .collect();
    ports.sort();
    ports.dedup();
    assert_eq!(ports.len(), services.len(), "two services in k8s/ have one nodePort");
    let own = container()["name"].clone();
    assert!(services[1..].iter().all(|service| own != service.name.as_str()), "k8s/ describes {own} twice");
}

#[test]
fn the_project_allows_the_kinds_of_k8s_and_no_other() {
    for service in delivered() {
        let project = yaml(&service.argocd("project.yaml"));
        let mut allowed: Vec<String> = Vec::new();
        for list in ["clusterResourceWhitelist", "namespaceResourceWhitelist"] {
            allowed.extend(project["spec"][list].as_array().unwrap().iter().map(|entry| entry["kind"].to_string()));
        }
        let manifests = files(&service.manifests);
        let mut used: Vec<String> =
            manifests.iter().map(|file| yaml(&service.manifest(file))["kind"].to_string()).collect();
        allowed.sort();
        used.sort();
        assert_eq!(allowed, used, "{} against {}/", service.argocd("project.yaml"), service.manifests);
    }
}
