use serde_json::json;

use crate::repository::{folder, yaml, yaml_documents};

#[test]
fn the_project_the_application_and_the_account_name_the_same_things() {
    let (project, application) = (yaml("argocd/project.yaml"), yaml("argocd/application.yaml"));
    assert_eq!(application["spec"]["project"], project["metadata"]["name"]);
    assert_eq!(project["spec"]["sourceRepos"], json!([application["spec"]["source"]["repoURL"]]));
    assert_eq!(project["spec"]["destinations"], json!([application["spec"]["destination"]]));
    assert_eq!(application["spec"]["source"]["path"], "k8s");
    assert_eq!(application["spec"]["destination"]["namespace"], "argo-rust");

    let account = &project["spec"]["destinationServiceAccounts"][0];
    assert_eq!(account["namespace"], application["spec"]["destination"]["namespace"]);
    let documents = yaml_documents("argocd/sync-account.yaml");
    let service_account = &documents[0]["metadata"];
    let expected = format!("{}:{}", service_account["namespace"], service_account["name"]).replace('"', "");
    assert_eq!(account["defaultServiceAccount"], expected.as_str());
    let controller = &yaml("argocd/controller-role.yaml")["rules"][2];
    assert_eq!(controller["resourceNames"], json!([service_account["name"]]), "argocd/controller-role.yaml");
    assert_eq!(
        yaml("argocd/settings.yaml")["data"]["application.sync.impersonation.enabled"],
        "true",
        "without it destinationServiceAccounts has no effect"
    );
}

#[test]
fn the_project_allows_the_kinds_of_k8s_and_no_other() {
    let project = yaml("argocd/project.yaml");
    let mut allowed: Vec<String> = Vec::new();
    for list in ["clusterResourceWhitelist", "namespaceResourceWhitelist"] {
        allowed.extend(project["spec"][list].as_array().unwrap().iter().map(|entry| entry["kind"].to_string()));
    }
    let mut used: Vec<String> =
        folder("k8s").iter().map(|file| yaml(&format!("k8s/{file}"))["kind"].to_string()).collect();
    allowed.sort();
    used.sort();
    assert_eq!(allowed, used, "argocd/project.yaml against k8s/");
}
