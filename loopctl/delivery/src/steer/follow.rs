//! Whether the rollout of one commit has ended, well or badly, decided with what `where` makes of the pods.

use crate::coordinates::tagged;
use crate::journey::facts::{Rollout, Serving};
use crate::journey::hops::pods::obstacles;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Argo CD has applied the commit, every pod runs what it says, and somebody is led to them.
    Live,
    /// The cluster has another state still, or again: nothing is known about this one.
    NotApplied(String),
    /// Somebody has stopped it, and no other image would go on.
    Stopped(String),
    /// It may still become live. What is in its way, if anything.
    Rolling(Reason),
    /// Kubernetes gave it the time that k8s/deployment.yaml allows.
    Failed(Reason),
    /// Whether the commit was applied could not be seen, and nothing else tells.
    Unseen(String),
}

/// The newest commit of the manifest, which is what is followed: a tag may stay while everything else changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub commit: String,
    pub subject: String,
    pub image: String,
    /// Pods with the image show that the commit was applied.
    pub wrote_the_tag: bool,
}

/// Whether Argo CD has applied the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Yes,
    No(String),
    Unseen(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// For the commit's message: what Kubernetes says.
    pub text: String,
    /// The last lines of a crashed container. They may hold anything, so they are shown here and never committed.
    pub log: Vec<String>,
}

/// A message that is longer is a whole page of somebody's, not a reason.
const LONGEST: usize = 400;

pub fn verdict(serving: &Serving, rollout: &Rollout, followed: &Followed, applied: Applied) -> Verdict {
    let workload = &rollout.workload;
    if tagged(&workload.image) != followed.image {
        return Verdict::NotApplied(format!("the Deployment has {}", workload.image));
    }
    if workload.wanted == 0 {
        return Verdict::Stopped("the Deployment is scaled to 0, so nobody is served".to_owned());
    }
    match applied {
        Applied::Yes => {}
        // The pods tell the state of the commit before, whose tag is the same.
        Applied::No(why) if workload.is_complete() || !followed.wrote_the_tag => return Verdict::NotApplied(why),
        Applied::Unseen(why) if !followed.wrote_the_tag => return Verdict::Unseen(why),
        Applied::No(_) | Applied::Unseen(_) => {}
    }
    if workload.is_complete() {
        let answering = serving.answering(None);
        let reason = Reason { text: answering.said(), log: Vec::new() };
        return if serving.is_served(&answering) { Verdict::Live } else { Verdict::Rolling(reason) };
    }
    if workload.paused {
        return Verdict::Stopped("the rollout is paused".to_owned());
    }
    let (_, obstacles) = obstacles(serving.now, rollout);
    let (log, mut said): (Vec<String>, Vec<String>) = obstacles.into_iter().partition(|line| line.starts_with("| "));
    let failed = workload.observed && workload.deadline_exceeded();
    if failed || said.is_empty() {
        said.push(workload.progress.message.clone());
    }
    let text: String = said.join("\n").chars().take(LONGEST).collect();
    let reason = Reason { text, log };
    if failed { Verdict::Failed(reason) } else { Verdict::Rolling(reason) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cluster::offered::Offered;
    use crate::cluster::pods::{Kind, Pod, Trouble};
    use crate::cluster::workload::{Progress, Replicas, Workload};
    use crate::journey::facts::Endpoint;

    const IMAGE: &str = "ghcr.io/a/b:sha-2222222";

    fn rollout(available: i32, progress: &str, trouble: Option<Trouble>) -> Rollout {
        let newest = Some(Replicas { name: "b-2".into(), ..Replicas::default() });
        let progress = Progress { reason: progress.into(), message: format!("said {progress}"), at: None };
        let (wanted, updated, total, observed) = (1, 1, 2 - available, true);
        let image = IMAGE.into();
        let workload =
            Workload { image, wanted, updated, available, total, observed, progress, newest, ..Workload::default() };
        let name = "b-2-x".into();
        let pod = Pod { name, image: IMAGE.into(), replica_set: "b-2".into(), restarts: 3, trouble, ..Pod::default() };
        Rollout { workload, pods: vec![pod] }
    }

    fn crash() -> Option<Trouble> {
        let (reason, message) = ("Error".into(), "the container ended with exit code 64 (Error)".into());
        Some(Trouble { kind: Kind::Crash, reason, message, log: vec!["password=hunter2".into()] })
    }

    fn bump() -> Followed {
        let (commit, subject) = ("c".to_owned(), "ci: update image".to_owned());
        Followed { commit, subject, image: IMAGE.into(), wrote_the_tag: true }
    }

    fn same_tag() -> Followed {
        Followed { wrote_the_tag: false, ..bump() }
    }

    /// Nobody may look at the Service, and the image itself answers.
    fn served(rollout: &Rollout) -> Serving {
        let (offered, endpoint) = (Err("forbidden".to_owned()), endpoint("sha-2222222"));
        Serving {
            now: Timestamp::UNIX_EPOCH,
            rollout: Ok(Some(rollout.clone())),
            offered,
            endpoint,
            has_to_answer: false,
        }
    }

    fn endpoint(tag: &str) -> Result<Endpoint, String> {
        Ok(Endpoint { address: "http://node:30800".into(), tag: tag.into() })
    }

    fn check(rollout: &Rollout, expected: &Verdict) {
        let found = verdict(&served(rollout), rollout, &bump(), Applied::Yes);
        assert_eq!(found, *expected, "{rollout:#?}");
    }

    #[test]
    fn a_rollout_is_judged_by_its_pods_and_failed_only_after_its_deadline() {
        check(&rollout(1, "NewReplicaSetAvailable", None), &Verdict::Live);
        let reason = |text: &str| Reason { text: text.into(), log: Vec::new() };
        check(&rollout(0, "ReplicaSetUpdated", None), &Verdict::Rolling(reason("said ReplicaSetUpdated")));
        let exceeded = "ProgressDeadlineExceeded";
        check(&rollout(0, exceeded, None), &Verdict::Failed(reason("said ProgressDeadlineExceeded")));
        let mut other = rollout(1, "NewReplicaSetAvailable", None);
        other.workload.image = "ghcr.io/a/b:sha-1111111".into();
        check(&other, &Verdict::NotApplied("the Deployment has ghcr.io/a/b:sha-1111111".into()));
        // The verdict of the controller is about the change before, until it has seen this one.
        let mut unobserved = rollout(0, exceeded, None);
        unobserved.workload.observed = false;
        check(&unobserved, &Verdict::Rolling(reason("said ProgressDeadlineExceeded")));
    }

    #[test]
    fn pods_that_nobody_is_led_to_are_not_live() {
        let complete = rollout(1, "NewReplicaSetAvailable", None);
        let find = |offered, endpoint| {
            let serving = Serving { offered, endpoint, ..served(&complete) };
            verdict(&serving, &complete, &bump(), Applied::Yes)
        };
        let nobody = Offered { service: "b".into(), ..Offered::default() };
        for (offered, endpoint, said) in [
            (Ok(None), endpoint("sha-2222222"), "there is no Service"),
            (Ok(Some(nobody)), endpoint("sha-2222222"), "answering: "),
            (Err("forbidden".to_owned()), endpoint("sha-1111111"), "sha-1111111"),
        ] {
            match find(offered, endpoint) {
                Verdict::Rolling(reason) => assert!(reason.text.contains(said), "{reason:?}"),
                other => panic!("{said}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_somebody_has_stopped_has_neither_failed_nor_is_it_live() {
        let paused = |available: i32, progress: &str| {
            let mut rollout = rollout(available, progress, None);
            rollout.workload.paused = true;
            rollout
        };
        let stopped = |text: &str| Verdict::Stopped(text.into());
        check(&paused(0, "ReplicaSetUpdated"), &stopped("the rollout is paused"));
        check(&paused(0, "ProgressDeadlineExceeded"), &stopped("the rollout is paused"));
        check(&paused(0, "DeploymentPaused"), &stopped("the rollout is paused"));
        // It was paused when it was over.
        check(&paused(1, "NewReplicaSetAvailable"), &Verdict::Live);
        let mut scaled = rollout(0, "NewReplicaSetAvailable", None);
        (scaled.workload.wanted, scaled.workload.updated, scaled.workload.total) = (0, 0, 0);
        check(&scaled, &stopped("the Deployment is scaled to 0, so nobody is served"));
    }

    #[test]
    fn pods_of_the_same_tag_say_nothing_of_a_commit_that_is_not_applied() {
        let check = |available: i32, followed: Followed, applied: Applied, expected: &str| {
            let rollout = rollout(available, "ProgressDeadlineExceeded", None);
            let found = match verdict(&served(&rollout), &rollout, &followed, applied.clone()) {
                Verdict::Live => "live",
                Verdict::Failed(_) => "failed",
                Verdict::NotApplied(_) => "not applied",
                Verdict::Unseen(_) => "unseen",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{available} {followed:?} {applied:?}");
        };
        let (no, unseen) = (|| Applied::No("older".into()), || Applied::Unseen("forbidden".into()));
        check(1, same_tag(), Applied::Yes, "live");
        check(1, same_tag(), no(), "not applied");
        check(1, same_tag(), unseen(), "unseen");
        check(0, same_tag(), Applied::Yes, "failed");
        check(0, same_tag(), no(), "not applied");
        check(0, same_tag(), unseen(), "unseen");
        // Where the commit wrote the tag, the image shows that it was applied; the rest of it may be on its way.
        check(1, bump(), no(), "not applied");
        check(1, bump(), unseen(), "live");
        check(0, bump(), no(), "failed");
        check(0, bump(), unseen(), "failed");
    }

    #[test]
    fn the_log_of_a_crash_is_kept_apart_from_the_reason_that_is_committed() {
        let crashed = rollout(0, "ProgressDeadlineExceeded", crash());
        let Verdict::Failed(reason) = verdict(&served(&crashed), &crashed, &bump(), Applied::Yes) else {
            panic!("it has failed");
        };
        assert_eq!(
            reason.text,
            "Error in pod b-2-x, restarted 3 times: the container ended with exit code 64 (Error)\nsaid ProgressDeadlineExceeded"
        );
        assert_eq!(reason.log, ["| password=hunter2"]);
    }
}
