//! Argo CD: its own manifests as they are, then what this project declares for it.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use delivery::coordinates::{Coordinates, Files};

use super::addresses::REGISTRY_USER;
use super::{Log, Part, Place, shell};

/// In the module that Argo CD is built from.
pub const MANIFESTS: &str = "manifests/core-install.yaml";

pub struct ArgoCd;

impl Part for ArgoCd {
    fn name(&self) -> &'static str {
        "argocd"
    }

    fn does(&self) -> &'static str {
        "watches the repository and applies what it says"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["controller-manager", "scheduler", "kubelet", "kube-proxy", "coredns", "images", "git"]
    }

    /// The order of argocd/README, with nothing changed but the repository's address.
    fn start(&self, place: &Place) -> Result<()> {
        if self.ready(place).is_ok() {
            // Applied again, Argo CD's manifests would hand its controller all rights for a moment.
            return Ok(());
        }
        let repository = place.repository()?;
        let read = |file: &str| {
            let path = repository.checkout.join(file);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        apply(
            place,
            &serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}).to_string(),
        )?;
        // In place before Argo CD starts, so that nothing has to be restarted for them.
        apply(place, &read(&format!("argocd/{SETTINGS}"))?)?;
        apply(place, &redis_secret(place)?)?;
        install(place)?;
        apply(place, &read("k8s/namespace.yaml")?)?;
        for name in &repository.pull_secrets {
            apply(place, &pull_secret(place, name, &repository.namespace)?)?;
        }
        for file in DECLARED {
            apply(place, &repository.with_local_address(&read(&format!("argocd/{file}"))?))?;
        }
        declare_services(place, &repository.checkout).map(drop)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        for (workload, replicas) in WORKLOADS {
            let path = "jsonpath={.status.readyReplicas}";
            let arguments = ["get", workload, "--namespace=argocd", "--output", path];
            if shell::run(place.kubectl()?.args(arguments))? != *replicas {
                bail!("{workload} is not ready; `kubectl describe pods --namespace=argocd` tells why");
            }
        }
        let path = "jsonpath={.status.sync.status}";
        let application = &place.repository()?.application;
        let arguments = ["get", "applications.argoproj.io", application, "--namespace=argocd", "--output", path];
        if shell::run(place.kubectl()?.args(arguments))?.is_empty() {
            bail!("Argo CD has not looked at the application yet");
        }
        Ok(())
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(240)
    }

    fn log(&self, _: &Place) -> Log {
        Log::Pods { namespace: "argocd" }
    }

    /// It goes with the cluster's data.
    fn stop(&self, _: &Place) -> Result<()> {
        Ok(())
    }
}

const SETTINGS: &str = "settings.yaml";

/// The rest of argocd/, each after those it refers to.
const DECLARED: [&str; 4] = ["controller-role.yaml", "sync-account.yaml", "project.yaml", "application.yaml"];

/// Those of a further service.
const OF_SERVICE: [&str; 3] = ["sync-account.yaml", "project.yaml", "application.yaml"];

/// What the loop needs of Argo CD, and how many of each.
const WORKLOADS: &[(&str, &str)] = &[
    ("deployment/argocd-redis", "1"),
    ("deployment/argocd-repo-server", "1"),
    ("statefulset/argocd-application-controller", "1"),
];

/// What a person does once for each further service that git delivers. Says which of them Argo CD did not know yet.
pub fn declare_services(place: &Place, checkout: &Path) -> Result<Vec<String>> {
    let repository = place.repository()?;
    let mut declared = Vec::new();
    for service in services(checkout)? {
        let arguments = ["get", "applications.argoproj.io", &service, "--namespace=argocd", "--ignore-not-found"];
        if !shell::run(place.kubectl()?.args(arguments).arg("--output=name"))?.is_empty() {
            continue;
        }
        let names = Coordinates::read_service(checkout, Files::of(&service))?;
        let read = |file: &str| fs::read_to_string(checkout.join(file)).with_context(|| format!("cannot read {file}"));
        apply(place, &read(&format!("k8s/{service}/namespace.yaml"))?)?;
        for name in &names.pull_secrets {
            apply(place, &pull_secret(place, name, &names.namespace)?)?;
        }
        for file in OF_SERVICE {
            apply(place, &repository.with_local_address(&read(&format!("argocd/{service}/{file}"))?))?;
        }
        declared.push(service);
    }
    Ok(declared)
}

/// Each that has manifests and an Application of its own.
fn services(checkout: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(checkout.join("argocd")).context("cannot look into argocd/")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let files = Files::of(&name);
        if checkout.join(files.application()).is_file() && checkout.join(files.deployment()).is_file() {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

fn install(place: &Place) -> Result<()> {
    let manifests = place.builds()?.source("argocd")?.join(MANIFESTS);
    let arguments = ["apply", "--server-side", "--force-conflicts", "--namespace=argocd", "--filename"];
    shell::run(place.kubectl()?.args(arguments).arg(manifests))?;
    Ok(())
}

fn apply(place: &Place, text: &str) -> Result<()> {
    // Under a name of its own: what kubectl's own name applies twice to one object, such as Argo CD's
    // ConfigMap, loses the first one's fields.
    let manager = format!("--field-manager={}", place.repository()?.application);
    let arguments = ["apply", "--server-side", "--force-conflicts", &manager, "--filename=-"];
    let begin = Instant::now();
    loop {
        match shell::run_with_input(place.kubectl()?.args(arguments), text) {
            Ok(_) => return Ok(()),
            Err(error) if is_too_early(&error.to_string()) && begin.elapsed() < Duration::from_secs(30) => {
                sleep(Duration::from_millis(300));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Argo CD's own kinds are known to the API server a moment after their definitions were accepted.
fn is_too_early(error: &str) -> bool {
    ["no matches for kind", "could not find the requested resource"].iter().any(|sentence| error.contains(sentence))
}

/// Redis's first pod would make it; pods that are quicker fail without it, and the kubelet then lets
/// them wait a quarter of a minute.
fn redis_secret(place: &Place) -> Result<String> {
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "argocd-redis", "namespace": "argocd"},
        "stringData": {"auth": place.secret("redis-password")?},
    });
    Ok(secret.to_string())
}

/// What the node needs to pull the service's image: the same Secret that README has for GitHub.
fn pull_secret(place: &Place, name: &str, namespace: &str) -> Result<String> {
    let password = place.secret("registry-password")?;
    let auth = BASE64_STANDARD.encode(format!("{REGISTRY_USER}:{password}"));
    let credentials = serde_json::json!({"auths": {"ghcr.io": {"auth": auth}}}).to_string();
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": BASE64_STANDARD.encode(credentials)},
    });
    Ok(secret.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> String {
        let place = Place::find().expect("the tests run with a home folder");
        let checkout = &place.repository().expect("the tests run in a checkout").checkout;
        fs::read_to_string(checkout.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn every_file_of_argocd_is_applied() {
        let place = Place::find().expect("the tests run with a home folder");
        let checkout = &place.repository().expect("the tests run in a checkout").checkout;
        let mut files: Vec<String> = fs::read_dir(checkout.join("argocd"))
            .expect("argocd/ is a folder")
            .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".yaml"))
            .collect();
        files.sort();
        let mut applied = DECLARED.to_vec();
        applied.push(SETTINGS);
        applied.sort_unstable();
        assert_eq!(files, applied, "name the new file in DECLARED in loopctl/machine/src/argocd.rs");
    }

    #[test]
    fn only_the_address_of_the_repository_changes_in_the_projects_files() {
        let place = Place::find().expect("the tests run with a home folder");
        let repository = place.repository().expect("the tests run in a checkout");
        for file in DECLARED {
            let text = read(&format!("argocd/{file}"));
            let local = repository.with_local_address(&text);
            let changed: Vec<_> = text.lines().zip(local.lines()).filter(|(before, after)| before != after).collect();
            let addresses = text.matches(&repository.address).count();
            assert_eq!(changed.len(), addresses, "{file}: {changed:?}");
        }
        let application = repository.with_local_address(&read("argocd/application.yaml"));
        assert!(!application.contains("github.com"), "the application would still watch GitHub:\n{application}");
    }
}
