//! "Still at revision" has a why.

use super::*;
use crate::cluster::application::{Application as Object, Automated, SKIP, Source};
use crate::cluster::argocd::Idle;

fn source() -> Source {
    Source {
        repository: "https://github.com/voloshko/argo-rust.git".into(),
        target_revision: "master".into(),
        path: "k8s".into(),
        ..Source::default()
    }
}

/// An Application as the repository's own, still at the revision from before.
fn behind(change: impl FnOnce(&mut Object)) -> Facts {
    let mut facts = application(|_| ());
    let object = facts.application.as_mut().expect("seen").as_mut().expect("there");
    object.spec.source = source();
    object.spec.sync_policy.automated = Some(Automated::default());
    change(object);
    facts
}

fn watching(change: impl FnOnce(&mut Source)) -> Facts {
    behind(|object| change(&mut object.spec.source))
}

fn stuck(facts: &Facts, words: &str) {
    check(facts, State::Stuck, "seen", HopState::Stuck, words);
}

#[test]
fn whoever_watches_something_else_never_sees_the_commit() {
    let other = |name: &str| watching(|source| source.target_revision = name.into());
    stuck(&other("release"), "Argo CD watches release, not master");
    stuck(&other("v1.0"), "Argo CD watches v1.0, not master");
    stuck(&other("refs/heads/release"), "Argo CD watches release, not master");
    stuck(&other("release"), r#"--type=merge -p '{"spec":{"source":{"targetRevision":"master"}}}'"#);
    for same in ["master", "refs/heads/master", "HEAD", ""] {
        check(&other(same), State::Moving, "seen", HopState::Moving, "still at revision 0000000");
    }
    let fork = watching(|source| source.repository = "git@github.com:fork/argo-rust.git".into());
    stuck(&fork, "Argo CD watches git@github.com:fork/argo-rust.git, not https://github.com/voloshko/argo-rust.git");
    let mirror = watching(|source| source.repository = "http://10.0.0.1:3000/Voloshko/argo-rust".into());
    check(&mirror, State::Moving, "seen", HopState::Moving, "still at revision");
}

#[test]
fn another_folder_is_the_reason_although_the_revision_is_the_right_one() {
    let at_revision = |image: &str, path: &str| {
        but(|facts| {
            let object = facts.application.as_mut().expect("seen").as_mut().expect("there");
            object.spec.source = Source { path: path.into(), ..source() };
            facts.serving.rollout = Ok(Some(rollout(image, vec![pod("a"), pod("b")])));
        })
    };
    stuck(&at_revision(OLD, "charts"), "Argo CD reads the folder charts, not k8s");
    // An overlay leads to it all the same, as the pods show.
    check(&at_revision(OWN, "overlays/prod"), State::Live, "seen", HopState::Done, "at revision");
}

#[test]
fn of_several_sources_one_has_to_read_the_manifests() {
    let facts = behind(|object| {
        object.spec.sources = vec![Source::default(), Source::default()];
        object.spec.source = Source::default();
        object.status.sync.revision.clear();
    });
    stuck(&facts, "has 2 sources, and none of them reads the folder k8s");
}

#[test]
fn an_annotation_that_stops_argo_cd_is_named_with_the_command_that_removes_it() {
    let with = |value: &str| {
        behind(|object| {
            object.metadata.annotations.insert(SKIP.into(), value.into());
        })
    };
    stuck(
        &with("true"),
        "kubectl annotate applications.argoproj.io argo-rust -n argocd argocd.argoproj.io/skip-reconcile-",
    );
    check(&with("false"), State::Moving, "seen", HopState::Moving, "still at revision");
}

#[test]
fn an_application_that_is_being_deleted_looks_at_nothing() {
    stuck(&behind(|object| object.metadata.leaving_since = Some(at(10))), "the Application is being deleted");
}

fn without(part: &str, is_scaled_down: bool) -> Facts {
    let mut facts = behind(|_| ());
    facts.idle = Ok(vec![Idle { kind: "deployment".into(), name: part.into(), is_scaled_down }]);
    facts
}

#[test]
fn a_part_of_argo_cd_without_a_ready_pod_is_the_first_reason() {
    stuck(&without("argocd-repo-server", true), "kubectl scale deployment/argocd-repo-server -n argocd --replicas=1");
    stuck(&without("argocd-repo-server", false), "argocd-repo-server, a part of Argo CD, has no ready pod");
    let mut facts = without("argocd-repo-server", true);
    let object = facts.application.as_mut().expect("seen").as_mut().expect("there");
    object.status.conditions = vec![condition("ComparisonError", "connection refused")];
    let answer = check(&facts, State::Stuck, "seen", HopState::Stuck, "connection refused");
    assert!(answer.hops[4].reason[0].contains("argocd-repo-server"), "{:?}", answer.hops[4].reason);
    // What runs needs no part of Argo CD.
    let live = but(|facts| facts.idle = without("argocd-repo-server", true).idle);
    check(&live, State::Live, "seen", HopState::Done, "at revision");
}

#[test]
fn parts_that_may_not_be_looked_at_are_said_and_stop_nothing() {
    let mut facts = behind(|_| ());
    facts.idle = Err("forbidden".into());
    check(&facts, State::Moving, "seen", HopState::Moving, "Argo CD's parts could not be seen: forbidden");
}

fn condition(kind: &str, message: &str) -> Condition {
    Condition { kind: kind.into(), message: message.into(), ..Condition::default() }
}

#[test]
fn a_warning_is_told_and_the_least_of_them_only_when_there_is_no_other() {
    let with = |conditions: &[Condition]| behind(|object| object.status.conditions = conditions.to_vec());
    let (orphan, shared) =
        (condition("OrphanedResourceWarning", "1 orphan"), condition("SharedResourceWarning", "two own it"));
    check(&with(std::slice::from_ref(&orphan)), State::Moving, "seen", HopState::Moving, "1 orphan");
    let answer = check(&with(&[orphan, shared]), State::Moving, "seen", HopState::Moving, "two own it");
    assert_eq!(answer.hops[4].reason, ["SharedResourceWarning: two own it"]);
}

#[test]
fn how_long_ago_it_looked_is_said_and_too_long_is_a_reason() {
    let looked = |ago: i64, waits: i64| {
        let mut facts = behind(|object| object.status.reconciled_at = Some(at(waits - ago)));
        // The bump is of second 60.
        (facts.now, facts.serving.now) = (at(waits), at(waits));
        facts
    };
    check(&looked(130, 700), State::Moving, "seen", HopState::Moving, "looked more than 2 min ago");
    stuck(&looked(3700, 700), "`cargo loopctl sync` makes it look now");
    check(&looked(3700, 100), State::Moving, "seen", HopState::Moving, "looked more than 1 h ago");
}

/// Seen and not applied.
fn unapplied(change: impl FnOnce(&mut Object)) -> Facts {
    let mut facts = behind(|object| {
        object.status.sync = synced_at(&bump().id, "OutOfSync");
        change(object);
    });
    facts.containing = [bump().id].into();
    facts.application.as_mut().expect("seen").as_mut().expect("there").status.history.truncate(1);
    facts
}

#[test]
fn without_an_automated_sync_nothing_is_applied_by_itself() {
    let off = |automated: Option<Automated>| unapplied(|object| object.spec.sync_policy.automated = automated);
    let check_off = |facts: &Facts| {
        check(facts, State::Stuck, "synced", HopState::Stuck, "automated sync is off: `kubectl patch");
    };
    check_off(&off(None));
    check_off(&off(Some(Automated { enabled: Some(false) })));
    check(&off(Some(Automated::default())), State::Moving, "synced", HopState::Moving, "OutOfSync");
}

#[test]
fn a_window_that_denies_the_sync_now_is_the_reason() {
    let mut facts = unapplied(|object| object.metadata.name = "argo-rust".into());
    let project = serde_json::json!({"spec": {"syncWindows": [
        {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]}});
    facts.project = Ok(Some(serde_json::from_value(project).expect("a project")));
    check(&facts, State::Stuck, "synced", HopState::Stuck, "a sync window of the project denies it now");
}

fn failed(message: &str, resources: serde_json::Value) -> Facts {
    unapplied(|object| {
        let operation = serde_json::json!({
            "phase": "Failed", "message": message,
            "syncResult": {"revision": bump().id, "resources": resources},
        });
        object.status.operation_state = Some(serde_json::from_value(operation).expect("as Argo CD writes it"));
    })
}

#[test]
fn a_sync_that_fails_is_told_in_the_words_of_its_objects() {
    let object = |kind: &str, status: &str| serde_json::json!({"kind": kind, "name": "argo-rust", "status": status, "message": format!("{kind} is forbidden")});
    let all = [
        object("Service", "Synced"),
        object("Deployment", "SyncFailed"),
        object("A", "SyncFailed"),
        object("B", "SyncFailed"),
        object("C", "SyncFailed"),
    ];
    let facts = failed("one or more objects failed to apply", serde_json::json!(all));
    let answer =
        check(&facts, State::Stuck, "synced", HopState::Stuck, "Deployment argo-rust: Deployment is forbidden");
    assert_eq!(answer.hops[5].reason.len(), 4, "the first three objects: {:?}", answer.hops[5].reason);
    // The sync and its condition say the same once.
    let mut facts = failed("Deployment is forbidden", serde_json::json!([object("Deployment", "SyncFailed")]));
    let status = &mut facts.application.as_mut().expect("seen").as_mut().expect("there").status;
    status.conditions = vec![condition("SyncError", "Failed last sync attempt: Deployment is forbidden")];
    let answer = check(&facts, State::Stuck, "synced", HopState::Stuck, "the sync fails");
    assert_eq!(answer.hops[5].reason, ["Deployment is forbidden"]);
}

#[test]
fn a_sync_that_waits_says_for_what() {
    let facts = unapplied(|object| {
        let operation = serde_json::json!({
            "phase": "Running", "message": "waiting for completion of hook batch/Job/migrate",
            "syncResult": {"revision": bump().id},
        });
        object.status.operation_state = Some(serde_json::from_value(operation).expect("as Argo CD writes it"));
        object.spec.sync_policy.automated = None;
    });
    check(&facts, State::Moving, "synced", HopState::Moving, "waiting for completion of hook batch/Job/migrate");
}

#[test]
fn a_sync_back_to_an_older_revision_takes_the_commit_away_again() {
    let facts = but(|facts| {
        let object = facts.application.as_mut().expect("seen").as_mut().expect("there");
        object.status.sync.status = "OutOfSync".into();
        object.status.history.push(deployed(&"0".repeat(40), 90));
    });
    check(&facts, State::Moving, "synced", HopState::Moving, "Argo CD says OutOfSync");
}

#[test]
fn an_application_that_is_gone_is_said_also_where_git_cannot_be_read() {
    let gone = |is_stand_in| {
        but(|facts| {
            facts.application = Ok(None);
            facts.branch = Err("cannot read the repository".into());
            facts.digest = Ok(None);
            facts.is_stand_in = is_stand_in;
        })
    };
    let answer = check(&gone(false), State::Stuck, "seen", HopState::Stuck, "apply argocd/application.yaml");
    assert!(answer.summary.contains("there is no such Application"), "{}", answer.summary);
    stuck(&gone(true), "`cargo loopctl up` makes it again");
}

#[test]
fn a_sync_of_another_revision_that_is_tried_again_is_said_to_be_in_front() {
    let facts = unapplied(|object| {
        let operation = serde_json::json!({
            "phase": "Running", "message": "failed to apply. Retrying attempt #3 at 12:00:00Z.", "retryCount": 3,
            "syncResult": {"revision": "3".repeat(40)},
        });
        object.status.operation_state = Some(serde_json::from_value(operation).expect("as Argo CD writes it"));
    });
    let said = "the sync of 3333333 is in front of it: failed to apply. Retrying attempt #3";
    check(&facts, State::Moving, "synced", HopState::Moving, said);
}
