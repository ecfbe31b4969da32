//! The pods, and what keeps one from being ready: a pull error, a crash, a failing probe, no place.

use anyhow::Result;
use futures_util::future::{join_all, try_join};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod as Object};
use kube::api::{ListParams, LogParams};

use super::{Cluster, explain};

/// As many lines of a crashed container as fit under one hop of an answer.
const LOG_LINES: i64 = 10;

#[derive(Clone, Debug, Default)]
pub struct Pod {
    pub name: String,
    pub image: String,
    /// What the node runs, as `NAME@sha256:…`; empty until it has pulled it.
    pub image_id: String,
    pub replica_set: String,
    pub ready: bool,
    /// It is on its way out.
    pub leaving: bool,
    pub created_at: Option<Timestamp>,
    /// When its container began to run.
    pub running_since: Option<Timestamp>,
    pub ready_since: Option<Timestamp>,
    pub restarts: i32,
    pub trouble: Option<Trouble>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub kind: Kind,
    /// Kubernetes' own word, such as ImagePullBackOff.
    pub reason: String,
    pub message: String,
    /// The last lines of a container that has crashed.
    pub log: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The image cannot be pulled.
    Pull,
    /// The container ends by itself.
    Crash,
    /// The container runs and does not pass a probe.
    Probe,
    /// No node takes the pod.
    Place,
    /// The container cannot be made, for instance for want of a Secret.
    Create,
}

impl Cluster {
    /// The newest last.
    pub async fn pods(&self, namespace: &str, selector: &str, container: &str) -> Result<Vec<Pod>> {
        let labels = ListParams::default().labels(selector);
        let of_pods = ListParams::default().fields("involvedObject.kind=Pod,reason=Unhealthy");
        // Without the right to read events all is told but the words of a failing probe.
        let events = async { Ok(self.list::<Event>(namespace, &of_pods).await.unwrap_or_default()) };
        let (objects, events) = try_join(self.list::<Object>(namespace, &labels), events).await?;
        let mut pods: Vec<Pod> = objects.iter().map(|object| pod(object, &events, container)).collect();
        pods.sort_by_key(|pod| pod.created_at);
        let crashed = pods.iter_mut().filter_map(|pod| match &mut pod.trouble {
            Some(trouble) if trouble.kind == Kind::Crash => Some((&pod.name, pod.restarts > 0, trouble)),
            _ => None,
        });
        join_all(crashed.map(|(name, restarted, trouble)| async move {
            trouble.log = self.last_lines(namespace, name, container, restarted).await;
        }))
        .await;
        Ok(pods)
    }

    /// Of the container that has ended. Why there are none is as good an answer as the lines would be.
    async fn last_lines(&self, namespace: &str, pod: &str, container: &str, restarted: bool) -> Vec<String> {
        let ask = |previous| {
            let container = Some(container.to_owned());
            LogParams { container, previous, tail_lines: Some(LOG_LINES), ..Default::default() }
        };
        let api = self.api::<Object>(namespace);
        let mut log = api.logs(pod, &ask(restarted)).await;
        if restarted && log.as_ref().is_ok_and(|log| log.trim().is_empty() || log.starts_with("unable to retrieve")) {
            // Between two starts the ended container is still the newest one.
            log = api.logs(pod, &ask(false)).await;
        }
        match log {
            Ok(log) => log.lines().map(str::to_owned).collect(),
            Err(error) => vec![format!("(no log: {})", explain(error, &format!("the log of {pod}"), &self.server))],
        }
    }
}

fn pod(object: &Object, events: &[Event], container: &str) -> Pod {
    let metadata = &object.metadata;
    let spec = object.spec.as_ref();
    let status = object.status.clone().unwrap_or_default();
    let name = metadata.name.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|condition| condition.type_ == kind);
    let ready = condition("Ready").filter(|condition| condition.status == "True");
    let statuses = status.container_statuses.unwrap_or_default();
    let state = statuses.iter().find(|status| status.name == container);
    let running = state.and_then(|status| status.state.as_ref()?.running.as_ref());
    let containers = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let owners = metadata.owner_references.iter().flatten();
    let unplaced = condition("PodScheduled").filter(|condition| condition.status == "False");
    let trouble = match unplaced {
        Some(condition) => Some(trouble_of(
            Kind::Place,
            condition.reason.as_deref().unwrap_or("Unschedulable"),
            condition.message.as_deref().unwrap_or_default(),
        )),
        None if ready.is_some() => None,
        None => {
            let of_pod = events.iter().filter(|event| event.involved_object.uid == metadata.uid);
            let probe = of_pod.max_by_key(|event| seen(event)).and_then(|event| event.message.as_deref());
            let crash = state.and_then(in_container);
            match (crash, probe) {
                (Some(crash), Some(message)) if is_killed_by(message, &crash, state) => {
                    Some(trouble_of(Kind::Probe, "Unhealthy", message))
                }
                (None, Some(message)) => Some(trouble_of(Kind::Probe, "Unhealthy", message)),
                (crash, _) => crash,
            }
        }
    };
    Pod {
        image: containers
            .iter()
            .find(|each| each.name == container)
            .and_then(|each| each.image.clone())
            .unwrap_or_default(),
        image_id: state.map(|status| status.image_id.clone()).unwrap_or_default(),
        replica_set: owners
            .filter(|owner| owner.kind == "ReplicaSet")
            .map(|owner| owner.name.clone())
            .next()
            .unwrap_or_default(),
        ready: ready.is_some(),
        leaving: metadata.deletion_timestamp.is_some(),
        created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
        running_since: running.and_then(|running| Some(running.started_at.as_ref()?.0)),
        ready_since: ready.and_then(|condition| Some(condition.last_transition_time.as_ref()?.0)),
        restarts: state.map_or(0, |status| status.restart_count),
        trouble,
        name,
    }
}

/// What the container's own state says; a probe is not part of it.
fn in_container(status: &ContainerStatus) -> Option<Trouble> {
    let state = status.state.as_ref()?;
    let ended = state.terminated.as_ref().or_else(|| status.last_state.as_ref()?.terminated.as_ref());
    let crash = ended.map(|ended| {
        let reason = ended.reason.as_deref().unwrap_or("Error");
        let code =
            ended.signal.map_or_else(|| format!("exit code {}", ended.exit_code), |signal| format!("signal {signal}"));
        trouble_of(Kind::Crash, reason, &format!("the container ended with {code} ({reason})"))
    });
    let Some(waiting) = &state.waiting else { return crash.filter(|_| state.running.is_none()) };
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let message = waiting.message.as_deref().unwrap_or_default();
    match reason {
        "CrashLoopBackOff" => crash.or_else(|| Some(trouble_of(Kind::Crash, reason, message))),
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            Some(trouble_of(Kind::Pull, reason, message))
        }
        "ContainerCreating" | "PodInitializing" | "" => None,
        _ => Some(trouble_of(Kind::Create, reason, message)),
    }
}

/// A container that the kubelet stops for a failing probe looks like one that ended; the probe is the reason.
fn is_killed_by(probe: &str, trouble: &Trouble, status: Option<&ContainerStatus>) -> bool {
    let ended = status.and_then(|status| {
        let now = status.state.as_ref().and_then(|state| state.terminated.as_ref());
        now.or_else(|| status.last_state.as_ref()?.terminated.as_ref())
    });
    let by_signal = ended.is_some_and(|ended| matches!(ended.exit_code, 0 | 137 | 143));
    let restarts = probe.starts_with("Startup probe") || probe.starts_with("Liveness probe");
    trouble.kind == Kind::Crash && restarts && by_signal && trouble.reason != "OOMKilled"
}

fn trouble_of(kind: Kind, reason: &str, message: &str) -> Trouble {
    Trouble { kind, reason: reason.to_owned(), message: message.to_owned(), log: Vec::new() }
}

fn seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| Some(series.last_observed_time.as_ref()?.0));
    series.or_else(|| Some(event.last_timestamp.as_ref()?.0)).or_else(|| Some(event.event_time.as_ref()?.0))
}
