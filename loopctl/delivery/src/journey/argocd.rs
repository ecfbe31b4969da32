//! What the Application and Argo CD itself say about a commit that does not go on.

use jiff::Timestamp;

use super::facts::Facts;
use crate::cluster::application::{Application, SKIP};
use crate::coordinates::slug;

/// What nobody has asked for is no reason why something is missing, but better than none.
const ORPHANS: &str = "OrphanedResourceWarning";

/// When the first sync that had the commit began and ended; None when it is not among those that Argo CD remembers.
pub fn first_sync(facts: &Facts, application: &Application) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let history = &application.status.history;
    let first = history.iter().position(|entry| facts.containing.contains(&entry.revision))?;
    // The oldest one that is remembered need not be the first one that had the commit.
    let is_all = history.len() < 10;
    let entry = history.get(first).filter(|_| first > 0 || is_all)?;
    Some((entry.deploy_started_at, entry.deployed_at))
}

/// As long as one of these is so, nothing else about the Application matters.
pub fn stopped(facts: &Facts, application: &Application) -> Vec<String> {
    let mut reasons = Vec::new();
    let namespace = &facts.names.application_namespace;
    for part in facts.idle.iter().flatten() {
        let (kind, name) = (&part.kind, &part.name);
        let mend = if part.is_scaled_down {
            format!("is scaled to 0: `kubectl scale {kind}/{name} -n {namespace} --replicas=1`")
        } else {
            format!("has no ready pod: `kubectl describe {kind}/{name} -n {namespace}`")
        };
        reasons.push(format!("{name}, a part of Argo CD, {mend}"));
    }
    let named = format!("applications.argoproj.io {} -n {namespace}", facts.names.application);
    if application.metadata.leaving_since.is_some() {
        reasons.push(format!("the Application is being deleted: `kubectl describe {named}`"));
    }
    if application.metadata.annotations.get(SKIP).is_some_and(|value| value == "true") {
        reasons.push(format!("the annotation {SKIP} stops Argo CD: `kubectl annotate {named} {SKIP}-`"));
    }
    reasons
}

/// What the Application says that it watches, where that is something else than this branch's manifests.
pub fn elsewhere(facts: &Facts, application: &Application) -> Vec<String> {
    let (names, source) = (&facts.names, &application.spec.source);
    let sources = application.spec.sources.len();
    if sources > 0 && source.repository.is_empty() {
        let folder = names.files.manifests();
        return vec![format!("the Application has {sources} sources, and none of them reads the folder {folder}")];
    }
    if source.repository.is_empty() {
        return Vec::new();
    }
    let patch = |field: &str, value: &str| {
        let named = format!("{} -n {}", names.application, names.application_namespace);
        let patch = serde_json::json!({"spec": {"source": {field: value}}});
        if sources > 0 {
            return "mend it in spec.sources".to_owned();
        }
        format!("`kubectl patch applications.argoproj.io {named} --type=merge -p '{patch}'`")
    };
    let mut reasons = Vec::new();
    if slug(&source.repository).is_ok_and(|slug| !slug.eq_ignore_ascii_case(&names.slug)) {
        let mend = patch("repoURL", &names.repository);
        reasons.push(format!("Argo CD watches {}, not {}: {mend}", source.repository, names.repository));
    }
    let branch = |name: &str| name.trim_start_matches("refs/heads/").to_owned();
    let (watched, ours) = (branch(&source.target_revision), branch(&names.branch));
    // Which branch HEAD is the repository alone knows.
    if !watched.is_empty() && watched != "HEAD" && watched != ours {
        reasons.push(format!("Argo CD watches {watched}, not {ours}: {}", patch("targetRevision", &names.branch)));
    }
    if !source.has(&names.files.deployment()) {
        let folder = names.files.manifests();
        reasons.push(format!("Argo CD reads the folder {}, not {folder}: {}", source.path, patch("path", &folder)));
    }
    reasons
}

/// Why no sync begins although there is something to apply.
pub fn not_by_itself(facts: &Facts, application: &Application) -> Vec<String> {
    let mut reasons = Vec::new();
    // Of an Application of which nothing is known but its status, nothing is said.
    let is_told = !application.spec.source.repository.is_empty();
    if is_told && !application.is_automated() {
        let named = format!("{} -n {}", facts.names.application, facts.names.application_namespace);
        let patch = r#"{"spec":{"syncPolicy":{"automated":{"enabled":true,"prune":true,"selfHeal":true}}}}"#;
        let mend = format!("`kubectl patch applications.argoproj.io {named} --type=merge -p '{patch}'`");
        reasons.push(format!("automated sync is off: {mend}"));
    }
    let project = facts.project.as_ref().ok().and_then(Option::as_ref);
    reasons.extend(project.and_then(|project| project.denies(application, facts.now)));
    reasons
}

pub fn errors(application: &Application) -> Vec<String> {
    conditions(application, |kind| kind.ends_with("Error"))
}

/// What stops nothing, but may be why it takes so long; and what could not be looked at.
pub fn remarks(facts: &Facts, application: &Application) -> Vec<String> {
    let mut remarks = conditions(application, |kind| !kind.ends_with("Error") && kind != ORPHANS);
    if remarks.is_empty() {
        remarks = conditions(application, |kind| kind == ORPHANS);
    }
    remarks.extend(facts.idle.as_ref().err().map(|reason| format!("Argo CD's parts could not be seen: {reason}")));
    remarks
}

fn conditions(application: &Application, is: impl Fn(&str) -> bool) -> Vec<String> {
    let all = application.status.conditions.iter().filter(|condition| is(&condition.kind));
    all.map(|condition| format!("{}: {}", condition.kind, condition.message)).collect()
}
