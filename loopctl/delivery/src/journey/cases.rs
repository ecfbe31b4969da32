//! Each thing that can happen to a commit, and what has to be said of it.

use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, HopState, State};
use super::decide::decide;
use super::facts::{Branch, Build, Endpoint, Facts, Newest, Relation, Rollout, Run, RunState, Serving};
use crate::cluster::application::{Application, Condition, Deployed, Operation, Sync};
use crate::cluster::offered::Offered;
use crate::cluster::pods::{Kind, Pod, Trouble};
use crate::cluster::workload::{Progress, Replicas, Workload};
use crate::coordinates::Coordinates;
use crate::git::history::Commit;
use crate::manifest::Hold;

const IMAGE: &str = "ghcr.io/voloshko/argo-rust";
const OLD: &str = "sha-0000001";
const OWN: &str = "sha-1111111";

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + seconds)
}

fn commit(digit: char, subject: &str, seconds: i64) -> Commit {
    Commit { id: digit.to_string().repeat(40), subject: subject.into(), at: at(seconds) }
}

fn bump() -> Commit {
    commit('2', "ci: update image to sha-1111111", 60)
}

fn names() -> Coordinates {
    Coordinates {
        slug: "voloshko/argo-rust".into(),
        repository: "https://github.com/voloshko/argo-rust.git".into(),
        branch: "master".into(),
        application: "argo-rust".into(),
        application_namespace: "argocd".into(),
        image: IMAGE.into(),
        hold: "delivery.argo-rust/hold".into(),
        ..Coordinates::default()
    }
}

fn synced_at(revision: &str, status: &str) -> Sync {
    Sync { status: status.into(), revision: revision.into(), ..Sync::default() }
}

/// A sync that began then and took a second.
fn deployed(revision: &str, began: i64) -> Deployed {
    let (deploy_started_at, deployed_at) = (Some(at(began)), Some(at(began + 1)));
    Deployed { revision: revision.into(), deploy_started_at, deployed_at, ..Deployed::default() }
}

/// A Service whose selector finds the pods.
fn offered(pods: &[&str]) -> Offered {
    Offered {
        service: "argo-rust".into(),
        selector: [("app".to_owned(), "argo-rust".to_owned())].into(),
        pods: pods.iter().map(|name| (*name).to_owned()).collect(),
        ports: vec![8080],
    }
}

/// All that is known of a commit that is live on two pods.
fn live() -> Facts {
    let application = Application {
        status: crate::cluster::application::Status {
            sync: synced_at(&bump().id, "Synced"),
            history: vec![deployed(&"0".repeat(40), -90), deployed(&bump().id, 64)],
            ..Default::default()
        },
        ..Default::default()
    };
    Facts {
        now: at(100),
        commit: commit('1', "Greet", 0),
        names: names(),
        branch: Ok(Branch {
            name: "master".into(),
            tip: bump().id,
            source: Some(commit('1', "Greet", 0)),
            build: Build::Needed,
            bump: Some(bump()),
            newest: Newest { tag: OWN.into(), relation: Relation::Own, by: Some(bump()) },
            hold: None,
            taken_back_by: None,
            taken_over_as: None,
            skips_runs: None,
        }),
        digest: Ok(Some("sha256:abc".into())),
        created: Some(at(50)),
        run: Ok(None),
        application: Ok(Some(application)),
        containing: [bump().id].into(),
        idle: Ok(Vec::new()),
        project: Ok(None),
        is_stand_in: false,
        serving: Serving {
            now: at(100),
            rollout: Ok(Some(rollout(OWN, vec![pod("a"), pod("b")]))),
            offered: Ok(Some(offered(&["a", "b"]))),
            endpoint: Ok(Endpoint { address: "http://node:30800".into(), tag: OWN.into() }),
            has_to_answer: false,
        },
    }
}

fn pod(name: &str) -> Pod {
    Pod {
        name: name.into(),
        labels: [("app".to_owned(), "argo-rust".to_owned())].into(),
        ports: vec![8080],
        replica_set: "new".into(),
        node: Some("node".into()),
        is_heard_of: true,
        ready: true,
        running_since: Some(at(68)),
        ready_since: Some(at(72)),
        ..Default::default()
    }
}

fn troubled(kind: Kind, restarts: i32) -> Pod {
    let trouble = Trouble { kind, reason: "Reason".into(), message: "the message".into(), log: vec!["a line".into()] };
    let running_since = pod("bad").running_since.filter(|_| kind != Kind::Crash);
    Pod { ready: false, restarts, running_since, trouble: Some(trouble), ..pod("bad") }
}

fn rollout(tag: &str, pods: Vec<Pod>) -> Rollout {
    let ready = i32::try_from(pods.iter().filter(|pod| pod.ready).count()).expect("a few pods");
    let workload = Workload {
        namespace: "argo-rust".into(),
        name: "argo-rust".into(),
        image: format!("{IMAGE}:{tag}"),
        wanted: 2,
        updated: 2,
        available: ready,
        total: 2,
        observed: true,
        changed_at: Some(at(65)),
        paused: false,
        progress: Progress { reason: "NewReplicaSetAvailable".into(), at: Some(at(75)), ..Default::default() },
        newest: Some(Replicas { name: "new".into(), ..Default::default() }),
    };
    Rollout { workload, pods }
}

/// The live commit, but for one thing.
fn but(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = live();
    change(&mut facts);
    facts
}

fn branch(change: impl FnOnce(&mut Branch)) -> Facts {
    but(|facts| change(facts.branch.as_mut().expect("the branch of a live commit is seen")))
}

/// Not bumped: the branch still names the tag from before.
fn waiting(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = branch(|branch| {
        branch.bump = None;
        branch.tip = branch.source.as_ref().map(|source| source.id.clone()).unwrap_or_default();
        branch.newest = Newest { tag: OLD.into(), relation: Relation::Older, by: None };
    });
    facts.digest = Ok(None);
    change(&mut facts);
    facts
}

fn hold(bad: &str) -> Option<Hold> {
    Some(Hold { bad: bad.into(), line: 9, is_certain: true })
}

fn rolling(pods: Vec<Pod>) -> Facts {
    but(|facts| facts.serving.rollout = Ok(Some(rollout(OWN, pods))))
}

fn application(change: impl FnOnce(&mut crate::cluster::application::Status)) -> Facts {
    but(|facts| {
        let application = facts.application.as_mut().expect("it is seen").as_mut().expect("it is there");
        facts.containing.clear();
        application.status.sync.revision = "0".repeat(40);
        change(&mut application.status);
    })
}

/// The state, the hop that has the word, its state, and what is said somewhere about it.
fn check(facts: &Facts, state: State, hop: &str, hop_state: HopState, words: &str) -> Answer {
    let answer = decide(facts);
    let found = answer.hops.iter().find(|each| each.hop == hop).expect("all hops are there");
    let said = format!("{} {} {}", answer.summary, found.detail, found.reason.join(" "));
    assert_eq!((answer.state, found.state), (state, hop_state), "of {hop} is said: {said}");
    assert!(said.contains(words), "expected: {words}\nsaid: {said}");
    answer
}

mod argocd;
mod cluster;
mod rollout;
mod served;
mod source;
