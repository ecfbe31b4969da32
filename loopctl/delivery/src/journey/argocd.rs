//! The hops of Argo CD: whether it has seen the commit and applied it, and if not, what keeps it from that.

use jiff::Timestamp;

use super::answer::{Hop, HopState, Name};
use super::facts::Facts;
use super::since::{more_than, passed};
use crate::cluster::application::{Application, SKIP};
use crate::coordinates::{DEPLOYMENT, short, slug};

/// Whoever polls looks every few minutes; Argo CD does so unless it was told otherwise.
const LOOKS: i64 = 600;
/// Of a sync that fails for many objects: the first ones tell enough.
const FAILURES: usize = 3;
/// What nobody has asked for is no reason why something is missing, but better than none.
const ORPHANS: &str = "OrphanedResourceWarning";

pub fn hops(facts: &Facts) -> Vec<Hop> {
    match &facts.application {
        Ok(None) => {
            let mend =
                if facts.is_stand_in { "`cargo loopctl up` makes it again" } else { "apply argocd/application.yaml" };
            vec![Hop::new(Name::Seen, HopState::Stuck, format!("there is no such Application: {mend}"))]
        }
        Err(reason) => {
            [Name::Seen, Name::Synced].map(|name| Hop::new(name, HopState::Unseen, "").because([reason.clone()])).into()
        }
        // Which revision has the commit is known from git alone.
        Ok(Some(application)) if facts.branch.is_err() => {
            vec![Hop::new(Name::Seen, HopState::Unseen, "").because(errors(application))]
        }
        Ok(Some(application)) => vec![seen(facts, application), synced(facts, application)],
    }
}

fn seen(facts: &Facts, application: &Application) -> Hop {
    let status = &application.status;
    let revision = &status.sync.revision;
    let elsewhere = elsewhere(facts, application);
    let runs = facts.runs_the_expected_image();
    // Where its image runs all the same, another folder leads to this one in a way that is not known here.
    if facts.containing.contains(revision) && (runs || application.reads_or_says_nothing()) {
        let started = first_sync(facts, application).and_then(|(started, _)| started);
        return Hop::new(Name::Seen, HopState::Done, format!("at revision {}", short(revision))).at(started);
    }
    let mut reasons = stopped(facts, application);
    reasons.extend(elsewhere);
    reasons.extend(errors(application));
    let at =
        if revision.is_empty() { "no revision yet".into() } else { format!("still at revision {}", short(revision)) };
    let looked = status.reconciled_at.map(|at| passed(facts.now, at));
    let ago = looked.filter(|ago| *ago >= 60).map(|ago| format!(", and looked more than {} ago", more_than(ago)));
    let detail = format!("Argo CD is {at}{}", ago.unwrap_or_default());
    let written = facts.branch.as_ref().ok().and_then(|branch| branch.bump.as_ref().or(branch.source.as_ref()));
    let waits = written.map_or(0, |commit| passed(facts.now, commit.at));
    if reasons.is_empty() && looked.is_some_and(|ago| ago.min(waits) > LOOKS) {
        reasons.push("it does not look by itself: `cargo loopctl sync` makes it look now".to_owned());
    }
    if reasons.is_empty() {
        return Hop::new(Name::Seen, HopState::Moving, detail).because(remarks(facts, application));
    }
    Hop::new(Name::Seen, HopState::Stuck, detail).because(reasons)
}

fn synced(facts: &Facts, application: &Application) -> Hop {
    let status = &application.status;
    let is_latest = status.history.last().is_some_and(|entry| facts.containing.contains(&entry.revision));
    let is_synced = status.sync.status == "Synced";
    if is_latest || is_synced {
        if let Some((_, deployed)) = first_sync(facts, application) {
            return Hop::new(Name::Synced, HopState::Done, "").at(deployed);
        }
        let is_remembered = status.history.iter().any(|entry| facts.containing.contains(&entry.revision));
        let when = if is_remembered { "longer ago than Argo CD remembers" } else { "nothing to apply" };
        return Hop::new(Name::Synced, HopState::Done, when);
    }
    let mut reasons = stopped(facts, application);
    let operation = status.operation_state.as_ref();
    let operation = operation.filter(|operation| facts.containing.contains(operation.revision()));
    let fails = operation.filter(|it| matches!(it.phase.as_str(), "Failed" | "Error") || it.retry_count > 0);
    let mut errors = errors(application);
    if let Some(operation) = fails {
        // A condition repeats what the sync has said.
        errors.retain(|error| operation.message.is_empty() || !error.contains(&operation.message));
        let failures = operation.failures().filter(|failure| {
            let message = failure.split_once(": ").map_or(failure.as_str(), |(_, message)| message);
            !operation.message.contains(message)
        });
        reasons.push(operation.message.clone());
        reasons.extend(failures.take(FAILURES));
    }
    reasons.extend(errors);
    let detail = if fails.is_some() { "the sync fails".into() } else { format!("Argo CD says {}", status.sync.status) };
    let is_running = operation.is_some_and(|operation| operation.phase == "Running");
    if !is_running {
        reasons.extend(not_by_itself(facts, application));
    }
    if reasons.is_empty() {
        let says = operation.filter(|_| is_running).map(|operation| operation.message.clone());
        let says = says.filter(|message| !message.is_empty());
        return Hop::new(Name::Synced, HopState::Moving, detail).because(says).because(remarks(facts, application));
    }
    Hop::new(Name::Synced, HopState::Stuck, detail).because(reasons)
}

/// When the first sync that had the commit began and ended; None when it is not among those that Argo CD remembers.
fn first_sync(facts: &Facts, application: &Application) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let history = &application.status.history;
    let first = history.iter().position(|entry| facts.containing.contains(&entry.revision))?;
    // The oldest one that is remembered need not be the first one that had the commit.
    let is_all = history.len() < 10;
    let entry = history.get(first).filter(|_| first > 0 || is_all)?;
    Some((entry.deploy_started_at, entry.deployed_at))
}

/// As long as one of these is so, nothing else about the Application matters.
fn stopped(facts: &Facts, application: &Application) -> Vec<String> {
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
fn elsewhere(facts: &Facts, application: &Application) -> Vec<String> {
    let (names, source) = (&facts.names, &application.spec.source);
    let sources = application.spec.sources.len();
    if sources > 0 && source.repository.is_empty() {
        let folder = DEPLOYMENT.rsplit_once('/').map_or("", |(folder, _)| folder);
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
    if !source.has(DEPLOYMENT) {
        let folder = DEPLOYMENT.rsplit_once('/').map_or("", |(folder, _)| folder);
        reasons.push(format!("Argo CD reads the folder {}, not {folder}: {}", source.path, patch("path", folder)));
    }
    reasons
}

/// Why no sync begins although there is something to apply.
fn not_by_itself(facts: &Facts, application: &Application) -> Vec<String> {
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
fn remarks(facts: &Facts, application: &Application) -> Vec<String> {
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
