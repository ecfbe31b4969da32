//! The six files of a service that git delivers: what Argo CD applies, and what Argo CD may do for it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use delivery::coordinates::{Coordinates, DEPLOYMENT};
use delivery::tfvars::Service;

const TEMPLATES: [(&str, &str, &str); 6] = [
    ("k8s", "namespace.yaml", include_str!("../../../templates/k8s/namespace.yaml")),
    ("k8s", "deployment.yaml", include_str!("../../../templates/k8s/deployment.yaml")),
    ("k8s", "service.yaml", include_str!("../../../templates/k8s/service.yaml")),
    ("argocd", "project.yaml", include_str!("../../../templates/argocd/project.yaml")),
    ("argocd", "sync-account.yaml", include_str!("../../../templates/argocd/sync-account.yaml")),
    ("argocd", "application.yaml", include_str!("../../../templates/argocd/application.yaml")),
];

/// The repository's own service is k8s/deployment.yaml, another one has a folder of its name.
pub fn deployment_of(coordinates: &Coordinates, name: &str) -> String {
    if name == coordinates.deployment { DEPLOYMENT.to_owned() } else { format!("k8s/{name}/deployment.yaml") }
}

/// Each file's path and text.
pub fn rendered(name: &str, service: &Service, coordinates: &Coordinates, new: bool) -> Vec<(String, String)> {
    paths(name)
        .into_iter()
        .zip(TEMPLATES)
        .map(|(path, (.., text))| (path, render(&with_settings(text, new), name, service, coordinates)))
        .collect()
}

/// In the order of `TEMPLATES`.
pub fn paths(name: &str) -> Vec<String> {
    TEMPLATES.iter().map(|(folder, file, _)| format!("{folder}/{name}/{file}")).collect()
}

/// Ends each line that only a service of this kind has: its settings, its metrics.
const OF_NEW: &str = " # of a new one";

fn with_settings(template: &str, new: bool) -> String {
    let lines = template.split_inclusive('\n').filter(|line| new || !line.contains(OF_NEW));
    lines.map(|line| line.replace(OF_NEW, "")).collect()
}

fn render(template: &str, name: &str, service: &Service, coordinates: &Coordinates) -> String {
    const NO_SECRET: &str = "      imagePullSecrets:\n        - name: $(image_pull_secret)\n";
    let template = if service.image_pull_secret.is_empty() { template.replace(NO_SECRET, "") } else { template.into() };
    let resources = &service.resources;
    let probes = &service.probes;
    [
        ("name", name),
        ("settings", &name.replace('-', "_").to_uppercase()),
        ("repository", &coordinates.repository),
        ("branch", &coordinates.branch),
        ("replicas", &service.replicas.to_string()),
        ("image", &service.image),
        ("port", &service.port.to_string()),
        ("node_port", &service.node_port.to_string()),
        ("liveness_initial_delay", &probes.liveness_initial_delay.to_string()),
        ("liveness_period", &probes.liveness_period.to_string()),
        ("readiness_initial_delay", &probes.readiness_initial_delay.to_string()),
        ("readiness_period", &probes.readiness_period.to_string()),
        ("cpu", &text(&resources.requests.cpu)),
        ("memory", &text(&resources.requests.memory)),
        ("cpu_limit", &text(&resources.limits.cpu)),
        ("memory_limit", &text(&resources.limits.memory)),
        ("image_pull_secret", &text(&service.image_pull_secret)),
        // Last, as it may contain anything.
        ("path", &text(&probes.path)),
    ]
    .iter()
    .fold(template, |filled, (word, value)| filled.replace(&format!("$({word})"), value))
}

/// What YAML would take for a number or a truth value without quotes gets them.
fn text(value: &str) -> String {
    match serde_saphyr::from_str::<Value>(value) {
        Ok(Value::String(_)) => value.to_owned(),
        _ => format!("\"{value}\""),
    }
}

pub fn image_in(root: &Path, file: &str) -> Result<String> {
    let image = yaml(root, file)?["spec"]["template"]["spec"]["containers"][0]["image"].take();
    image.as_str().map(str::to_owned).with_context(|| format!("{file} names no image"))
}

fn yaml(root: &Path, file: &str) -> Result<Value> {
    let text =
        fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file} below {}", root.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{file} is not YAML that can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery::tfvars::Tfvars;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// Without comments and order, as the cluster would read it.
    fn documents(text: &str) -> Vec<Value> {
        serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
    }

    #[test]
    fn a_new_service_gets_what_our_own_has() {
        let (coordinates, tfvars) = (Coordinates::read(root()).unwrap(), Tfvars::read(root()).unwrap());
        let own = coordinates.deployment.clone();
        for (path, text) in rendered(&own, tfvars.service(&own).unwrap(), &coordinates, true) {
            assert!(!text.contains("$("), "{path} has a word left that nothing replaces:\n{text}");
            let ours = path.replace(&format!("/{own}/"), "/");
            let ours = documents(&fs::read_to_string(root().join(&ours)).unwrap());
            let mut new = documents(&text);
            match path.rsplit('/').next().unwrap() {
                "deployment.yaml" => {
                    let mut ours = ours[0].clone();
                    let container = &mut ours["spec"]["template"]["spec"]["containers"][0];
                    container["image"] = new[0]["spec"]["template"]["spec"]["containers"][0]["image"].clone();
                    if let Some(annotations) = ours["metadata"].as_object_mut() {
                        annotations.remove("annotations");
                    }
                    assert_eq!(new[0], ours, "{path}");
                }
                "sync-account.yaml" => assert_eq!(new.drain(..ours.len()).collect::<Vec<_>>(), ours, "{path}"),
                "project.yaml" => {
                    new[0]["spec"]["description"] = ours[0]["spec"]["description"].clone();
                    assert_eq!(new, ours, "{path}");
                }
                "application.yaml" => {
                    new[0]["spec"]["source"]["path"] = "k8s".into();
                    assert_eq!(new, ours, "{path}");
                }
                _ => assert_eq!(new, ours, "{path}"),
            }
        }
    }

    #[test]
    fn amounts_stay_text_and_a_public_image_names_no_secret() {
        let coordinates = Coordinates::read(root()).unwrap();
        let mut service = Tfvars::read(root()).unwrap().service(&coordinates.deployment).unwrap().clone();
        service.resources.requests.cpu = "0.5".into();
        service.image_pull_secret = String::new();
        let (_, text) = rendered("shop", &service, &coordinates, false).remove(1);
        let pod = documents(&text)[0]["spec"]["template"]["spec"].clone();
        assert_eq!(pod["containers"][0]["resources"]["requests"]["cpu"], "0.5");
        assert!(pod["imagePullSecrets"].is_null(), "{text}");
        assert!(pod["containers"][0]["env"].is_null(), "the settings are of our own kind of service:\n{text}");
    }
}
