//! The pods, and what keeps one from being ready.

mod trouble;

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::future::{join_all, try_join};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod as Object};
use kube::api::{ListParams, LogParams};

use self::trouble::{condition, containers};
use super::{Cluster, explain};

/// As many lines of a container as fit under one hop of an answer.
const LOG_LINES: i64 = 10;

#[derive(Clone, Debug, Default)]
pub struct Pod {
    pub name: String,
    pub image: String,
    /// What the node runs, as `NAME@sha256:…`; empty until it has pulled it.
    pub image_id: String,
    pub labels: BTreeMap<String, String>,
    /// Those which its containers say that they listen at.
    pub ports: Vec<i32>,
    pub replica_set: String,
    /// None until a scheduler has chosen one.
    pub node: Option<String>,
    /// That node has said something about its containers.
    pub is_heard_of: bool,
    pub ready: bool,
    /// It is on its way out.
    pub leaving: bool,
    pub created_at: Option<Timestamp>,
    /// When its container, or the one in trouble, began to run.
    pub running_since: Option<Timestamp>,
    pub ready_since: Option<Timestamp>,
    /// Of its container, or of the one in trouble.
    pub restarts: i32,
    pub trouble: Option<Trouble>,
    /// Which container is in trouble where it is not the service's own, such as `init container migrate`.
    pub troubled: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub kind: Kind,
    /// Kubernetes' own word, such as ImagePullBackOff.
    pub reason: String,
    pub message: String,
    /// The last lines of a container that has crashed, or does not end.
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
    /// The container has to end before the others begin, and has not.
    Unended,
    /// Nothing is said to be wrong, and nothing goes on.
    Silence,
}

impl Cluster {
    /// The newest last.
    pub async fn pods(&self, namespace: &str, selector: &str, container: &str) -> Result<Vec<Pod>> {
        let labels = ListParams::default().labels(selector);
        let of_pods = ListParams::default().fields("involvedObject.kind=Pod,type=Warning");
        // Without the right to read events all is told but the words of a failing probe or of a node.
        let events = async { Ok(self.list::<Event>(namespace, &of_pods).await.unwrap_or_default()) };
        let (objects, events) = try_join(self.list::<Object>(namespace, &labels), events).await?;
        let mut found: Vec<(Pod, Option<String>)> = objects.iter().map(|each| pod(each, &events, container)).collect();
        found.sort_by_key(|(pod, _)| pod.created_at);
        join_all(found.iter_mut().map(|(pod, container)| async move {
            let (Some(trouble), Some(container)) = (&mut pod.trouble, container) else { return };
            if matches!(trouble.kind, Kind::Crash | Kind::Unended) {
                trouble.log = self.last_lines(namespace, &pod.name, container, pod.restarts > 0).await;
            }
        }))
        .await;
        Ok(found.into_iter().map(|(pod, _)| pod).collect())
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

/// With the name of the container in trouble.
fn pod(object: &Object, events: &[Event], container: &str) -> (Pod, Option<String>) {
    let metadata = &object.metadata;
    let spec = object.spec.as_ref();
    let status = object.status.clone().unwrap_or_default();
    let ready = condition(&status, "Ready").filter(|condition| condition.status == "True");
    let all = containers(spec, &status);
    let own = all.iter().find(|each| each.name == container && each.kind == "container");
    let of_pod: Vec<&Event> = events.iter().filter(|event| event.involved_object.uid == metadata.uid).collect();
    let found = if ready.is_some() { None } else { trouble::of(spec, &status, &all, &of_pod) };
    let (of, trouble) = found.map_or((None, None), |(of, trouble)| (of, Some(trouble)));
    let seen = of.or(own);
    let running = seen.and_then(|each| each.status?.state.as_ref()?.running.as_ref());
    let owners = metadata.owner_references.iter().flatten();
    let listed = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let ports = listed.iter().flat_map(|each| each.ports.iter().flatten()).map(|port| port.container_port).collect();
    let pod = Pod {
        name: metadata.name.clone().unwrap_or_default(),
        image: listed
            .iter()
            .find(|each| each.name == container)
            .and_then(|each| each.image.clone())
            .unwrap_or_default(),
        image_id: own.and_then(|each| Some(each.status?.image_id.clone())).unwrap_or_default(),
        labels: metadata.labels.clone().unwrap_or_default(),
        ports,
        replica_set: owners
            .filter(|owner| owner.kind == "ReplicaSet")
            .map(|owner| owner.name.clone())
            .next()
            .unwrap_or_default(),
        node: spec.and_then(|spec| spec.node_name.clone()),
        is_heard_of: all.iter().any(|each| each.status.is_some()),
        ready: ready.is_some(),
        leaving: metadata.deletion_timestamp.is_some(),
        created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
        running_since: running.and_then(|running| Some(running.started_at.as_ref()?.0)),
        ready_since: ready.and_then(|condition| Some(condition.last_transition_time.as_ref()?.0)),
        restarts: seen.and_then(|each| Some(each.status?.restart_count)).unwrap_or_default(),
        troubled: of
            .filter(|of| own.is_none_or(|own| own.name != of.name))
            .map(|of| format!("{} {}", of.kind, of.name)),
        trouble,
    };
    (pod, of.map(|of| of.name.to_owned()))
}
