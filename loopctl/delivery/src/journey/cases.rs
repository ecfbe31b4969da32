//! Each thing that can happen to a commit, and what has to be said of it.

use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, HopState, Name, State};
use super::decide::decide;
use super::facts::{Branch, Build, Endpoint, Facts, Newest, Relation, Rollout, Run, RunState};
use crate::cluster::application::{Application, Condition, Deployed, Operation};
use crate::cluster::pods::{Kind, Pod, Trouble};
use crate::cluster::workload::{Progress, Replicas, Workload};
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

/// All that is known of a commit that is live on two pods.
fn live() -> Facts {
    let application = Application {
        status: crate::cluster::application::Status {
            sync: crate::cluster::application::Sync { status: "Synced".into(), revision: bump().id },
            history: vec![
                Deployed { revision: "0".repeat(40), deploy_started_at: Some(at(-90)), deployed_at: Some(at(-89)) },
                Deployed { revision: bump().id, deploy_started_at: Some(at(64)), deployed_at: Some(at(65)) },
            ],
            ..Default::default()
        },
        ..Default::default()
    };
    Facts {
        now: at(100),
        commit: commit('1', "Greet", 0),
        image: IMAGE.into(),
        branch: Ok(Branch {
            name: "master".into(),
            tip: bump().id,
            source: Some(commit('1', "Greet", 0)),
            build: Build::Needed,
            bump: Some(bump()),
            newest: Newest { tag: OWN.into(), relation: Relation::Own, by: Some(bump()) },
            hold: None,
            taken_back_by: None,
        }),
        digest: Ok(Some("sha256:abc".into())),
        run: Ok(None),
        application: Ok(Some(application)),
        containing: [bump().id].into(),
        rollout: Ok(Some(rollout(OWN, vec![pod("a"), pod("b")]))),
        endpoint: Ok(Endpoint { address: "http://node:30800".into(), tag: OWN.into() }),
        endpoint_is_given: false,
    }
}

fn pod(name: &str) -> Pod {
    Pod {
        name: name.into(),
        replica_set: "new".into(),
        ready: true,
        running_since: Some(at(68)),
        ready_since: Some(at(72)),
        ..Default::default()
    }
}

fn troubled(kind: Kind, restarts: i32) -> Pod {
    let trouble = Trouble { kind, reason: "Reason".into(), message: "the message".into(), log: vec!["a line".into()] };
    Pod { ready: false, restarts, trouble: Some(trouble), ..pod("bad") }
}

fn rollout(tag: &str, pods: Vec<Pod>) -> Rollout {
    let ready = i32::try_from(pods.iter().filter(|pod| pod.ready).count()).expect("a few pods");
    let workload = Workload {
        image: format!("{IMAGE}:{tag}"),
        wanted: 2,
        updated: 2,
        available: ready,
        total: 2,
        observed: true,
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
    but(|facts| facts.rollout = Ok(Some(rollout(OWN, pods))))
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
fn check(facts: &Facts, state: State, hop: Name, hop_state: HopState, words: &str) -> Answer {
    let answer = decide(facts);
    let found = answer.hops.iter().find(|each| each.hop == hop).expect("all hops are there");
    let said = format!("{} {} {}", answer.summary, found.detail, found.reason.join(" "));
    assert_eq!((answer.state, found.state), (state, hop_state), "of {hop:?} is said: {said}");
    assert!(said.contains(words), "expected: {words}\nsaid: {said}");
    answer
}

mod cluster;
mod source;
