//! Whether the rollout of one revision has ended, well or badly, decided with what `where` makes of the pods.

use jiff::Timestamp;

use crate::coordinates::tagged;
use crate::journey::facts::Rollout;
use crate::journey::rollout::obstacles;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every pod runs it.
    Live,
    /// The Deployment has another image still, or again: nothing is known about this one.
    NotApplied(String),
    /// It may still become live. What is in its way, if anything.
    Rolling(Reason),
    /// Kubernetes gave it the time that k8s/deployment.yaml allows.
    Failed(Reason),
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

pub fn verdict(now: Timestamp, rollout: &Rollout, image: &str) -> Verdict {
    let workload = &rollout.workload;
    if tagged(&workload.image) != image {
        return Verdict::NotApplied(format!("the Deployment has {}", workload.image));
    }
    if workload.is_complete() {
        return Verdict::Live;
    }
    let (_, obstacles) = obstacles(now, rollout);
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
    use super::*;
    use crate::cluster::pods::{Kind, Pod, Trouble};
    use crate::cluster::workload::{Progress, Replicas, Workload};

    const IMAGE: &str = "ghcr.io/a/b:sha-2222222";

    fn rollout(available: i32, progress: &str, trouble: Option<Trouble>) -> Rollout {
        let newest = Some(Replicas { name: "b-2".into(), ..Replicas::default() });
        let progress = Progress { reason: progress.into(), message: format!("said {progress}"), at: None };
        let (wanted, updated, total, observed) = (1, 1, 2 - available, true);
        let workload = Workload { image: IMAGE.into(), wanted, updated, available, total, observed, progress, newest };
        let name = "b-2-x".into();
        let pod = Pod { name, image: IMAGE.into(), replica_set: "b-2".into(), restarts: 3, trouble, ..Pod::default() };
        Rollout { workload, pods: vec![pod] }
    }

    fn crash() -> Option<Trouble> {
        let (reason, message) = ("Error".into(), "the container ended with exit code 64 (Error)".into());
        Some(Trouble { kind: Kind::Crash, reason, message, log: vec!["password=hunter2".into()] })
    }

    fn check(rollout: &Rollout, expected: &Verdict) {
        assert_eq!(verdict(Timestamp::UNIX_EPOCH, rollout, IMAGE), *expected, "{rollout:#?}");
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
    fn the_log_of_a_crash_is_kept_apart_from_the_reason_that_is_committed() {
        let Verdict::Failed(reason) =
            verdict(Timestamp::UNIX_EPOCH, &rollout(0, "ProgressDeadlineExceeded", crash()), IMAGE)
        else {
            panic!("it has failed");
        };
        assert_eq!(
            reason.text,
            "Error in pod b-2-x, restarted 3 times: the container ended with exit code 64 (Error)\nsaid ProgressDeadlineExceeded"
        );
        assert_eq!(reason.log, ["| password=hunter2"]);
    }
}
