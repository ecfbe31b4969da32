//! What a person does next: files alone change no cluster.

use super::delivered_by::DeliveredBy;
use crate::changes::Listed;
use delivery::tfvars::Service;

pub fn after_add(name: &str, service: &Service, by: DeliveredBy, paths: &[&str]) -> Vec<String> {
    let mut steps = vec![format!("git add {} && git commit -m 'Add the service {name}'", places(name, paths))];
    if by == DeliveredBy::Git {
        steps.push("git push".to_owned());
        steps.push(format!("kubectl apply -f k8s/{name}/namespace.yaml"));
        let files = ["sync-account", "project", "application"].map(|file| format!("-f argocd/{name}/{file}.yaml"));
        steps.push(format!("kubectl apply {}", files.join(" ")));
    }
    // The secret needs the namespace, which either the manifest or the apply makes.
    let secret =
        format!("cargo loopctl pull-secret --namespace {}   # reads the token from standard input", service.namespace);
    let secret = (!service.image_pull_secret.is_empty()).then_some(secret);
    let apply = "(cd tofu && tofu apply)".to_owned();
    match by {
        DeliveredBy::Git => steps.extend(secret.into_iter().chain([apply])),
        DeliveredBy::Tofu => steps.extend([apply].into_iter().chain(secret)),
    }
    steps
}

pub fn after_remove(name: &str, namespace: &str, by: DeliveredBy, shared: bool, paths: &[&str]) -> Vec<String> {
    let mut steps = Vec::new();
    let account = format!("{name}-sync");
    if by == DeliveredBy::Git {
        // First: what it would sync is about to leave git.
        let objects = [format!("applications.argoproj.io/{name}"), format!("appprojects.argoproj.io/{name}")];
        steps.push(format!("kubectl delete --namespace argocd {}", objects.join(" ")));
    }
    steps.push(format!("git add --all {} && git commit -m 'Remove the service {name}'", places(name, paths)));
    if !shared {
        steps.push(format!("(cd tofu && tofu state rm 'kubernetes_namespace_v1.namespace[\"{namespace}\"]')"));
    }
    steps.push("(cd tofu && tofu apply)".to_owned());
    if !shared {
        steps.push(format!("kubectl delete namespace {namespace}"));
    }
    if by == DeliveredBy::Git {
        let objects = [
            format!("serviceaccount/{account}"),
            format!("role/{account}-impersonation"),
            format!("rolebinding/{account}-impersonation"),
        ];
        steps.push(format!("kubectl delete --namespace argocd {}", objects.join(" ")));
        steps.push(format!("kubectl delete clusterrole/{account} clusterrolebinding/{account}"));
    }
    steps
}

/// One line a file.
pub fn written(files: &[Listed]) -> String {
    files.iter().map(|Listed { path, change }| format!("{change:<8} {path}\n")).collect()
}

/// For git: folders that are wholly the service's own are named as such.
fn places(name: &str, paths: &[&str]) -> String {
    let mut places: Vec<String> = Vec::new();
    for path in paths {
        let folder = ["k8s", "argocd", "services"]
            .map(|top| format!("{top}/{name}"))
            .into_iter()
            .find(|folder| path.starts_with(folder));
        let place = folder.unwrap_or_else(|| (*path).to_owned());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.join(" ")
}
