//! Versions: Argo CD's, and whether the cluster still serves the API versions that the manifests use.

use super::Verdict;
use super::facts::Facts;
use crate::coordinates::split_image;

/// README's "on any cluster": from here on the project's settings do what they say.
const OLDEST: [u32; 3] = [3, 5, 1];
/// The one that README installs and the proofs run with.
const INSTALL: &str = "kubectl apply -n argocd --server-side --force-conflicts -f \
                       https://raw.githubusercontent.com/argoproj/argo-cd/v3.6.1/manifests/install.yaml";
/// Of k8s/ and argocd/.
const USED: [&str; 3] = ["v1", "apps/v1", "argoproj.io/v1alpha1"];

pub const NAME: &str = "versions";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    if let Some(parts) = facts.argocd.seen(verdict) {
        argocd(parts, verdict);
    }
    if let Some(served) = facts.served.seen(verdict) {
        let missing: Vec<&str> = USED.into_iter().filter(|used| !served.iter().any(|each| each == used)).collect();
        for version in &missing {
            let mend = if version.starts_with("argoproj") { INSTALL } else { "kubectl api-versions" };
            verdict.find(format!("the cluster does not serve {version}, which the manifests use"), mend);
        }
        if missing.is_empty() {
            verdict.note(format!("the cluster serves {}", USED.join(", ")));
        }
    }
    if let Some(version) = facts.kubernetes.seen(verdict) {
        verdict.note(format!("Kubernetes {version}"));
    }
}

fn argocd(parts: &[(String, String)], verdict: &mut Verdict) {
    let mut versions: Vec<String> = Vec::new();
    for (part, image) in parts {
        let Ok((_, tag)) = split_image(image) else {
            verdict.note(format!("{part} runs {image}, which names no version"));
            continue;
        };
        match number(&tag) {
            Some(found) if found < OLDEST => {
                let oldest = OLDEST.map(|part| part.to_string()).join(".");
                verdict.find(format!("{part} of Argo CD is {tag}; the settings here need {oldest} or newer"), INSTALL);
            }
            Some(_) => {}
            None => verdict.note(format!("{part} runs {tag}, which is no version number")),
        }
        if !versions.contains(&tag) {
            versions.push(tag);
        }
    }
    match versions.as_slice() {
        [] => {}
        [version] => verdict.note(format!("Argo CD {version}")),
        several => {
            verdict.find(format!("the parts of Argo CD are of several versions: {}", several.join(", ")), INSTALL);
        }
    }
}

fn number(tag: &str) -> Option<[u32; 3]> {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    let text = text.split(['-', '+']).next().unwrap_or(text);
    let mut parts = text.split('.').map(str::parse);
    let number = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn an_argo_cd_that_is_too_old_or_mixed_is_found() {
        let run = |images: &[&str]| {
            let mut facts = healthy();
            let parts = images.iter().map(|image| ("argocd-repo-server".to_owned(), (*image).to_owned()));
            facts.argocd = Fact::Found(parts.collect());
            facts
        };
        check(look, &healthy(), &[]);
        check(look, &run(&["quay.io/argoproj/argocd:v3.5.1"]), &[]);
        check(look, &run(&["quay.io/argoproj/argocd:v3.5.0"]), &["is v3.5.0; the settings here need 3.5.1"]);
        check(look, &run(&["quay.io/argoproj/argocd:v2.14.20"]), &["is v2.14.20"]);
        check(look, &run(&["a/argocd:v3.6.1", "a/argocd:v3.5.2"]), &["of several versions: v3.6.1, v3.5.2"]);
        check(look, &run(&["a/argocd@sha256:00"]), &[]);
        check(look, &run(&["a/argocd:latest"]), &[]);
    }

    #[test]
    fn an_api_version_that_is_not_served_is_found() {
        let mut facts = healthy();
        facts.served = Fact::Found(vec!["v1".into(), "argoproj.io/v1alpha1".into()]);
        check(look, &facts, &["does not serve apps/v1"]);
    }
}
