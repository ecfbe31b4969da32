//! What keeps a pod from being ready: no place, a container of any kind that does not come up, a probe, a node.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, PodCondition, PodSpec, PodStatus};

use super::{Kind, Trouble};

/// One of the pod's containers, in the order in which the kubelet starts them.
pub(super) struct Container<'a> {
    pub name: &'a str,
    /// What a person calls it.
    pub kind: &'static str,
    pub status: Option<&'a ContainerStatus>,
}

pub(super) fn containers<'a>(spec: Option<&'a PodSpec>, status: &'a PodStatus) -> Vec<Container<'a>> {
    fn of<'a>(name: &'a str, kind: &'static str, statuses: Option<&'a Vec<ContainerStatus>>) -> Container<'a> {
        let status = statuses.into_iter().flatten().find(|status| status.name == name);
        Container { name, kind, status }
    }
    let Some(spec) = spec else { return Vec::new() };
    let begin = spec.init_containers.iter().flatten().map(|each| {
        let kind = if each.restart_policy.as_deref() == Some("Always") { "sidecar" } else { "init container" };
        of(&each.name, kind, status.init_container_statuses.as_ref())
    });
    let rest = spec.containers.iter().map(|each| of(&each.name, "container", status.container_statuses.as_ref()));
    begin.chain(rest).collect()
}

pub(super) fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

/// Of a pod that is not ready: the first thing that has to be mended, and the container that it is about.
pub(super) fn of<'a>(
    spec: Option<&PodSpec>,
    status: &PodStatus,
    containers: &'a [Container<'a>],
    events: &[&Event],
) -> Option<(Option<&'a Container<'a>>, Trouble)> {
    if status.phase.as_deref() == Some("Failed") {
        let (reason, message) = (status.reason.as_deref(), status.message.as_deref());
        if let Some(reason) = reason {
            return Some((None, trouble_of(Kind::Place, reason, message.unwrap_or_default())));
        }
    }
    if let Some(unplaced) = condition(status, "PodScheduled").filter(|condition| condition.status == "False") {
        let reason = unplaced.reason.as_deref().unwrap_or("Unschedulable");
        return Some((None, trouble_of(Kind::Place, reason, unplaced.message.as_deref().unwrap_or_default())));
    }
    for container in containers {
        let probe = newest(events, |event| is_said(event, "Unhealthy") && is_about(event, container));
        if let Some(trouble) = of_container(container, probe) {
            return Some((Some(container), trouble));
        }
    }
    if let Some(event) = newest(events, |event| is_said(event, "NodeNotReady")) {
        let node = spec.and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        let message = format!("{} ({node})", event.message.as_deref().unwrap_or_default());
        return Some((None, trouble_of(Kind::Place, "NodeNotReady", &message)));
    }
    // A volume that is not mounted, a network that is not set up: the kubelet says it in events alone, and they stay
    // when it is over.
    let has_begun = containers.iter().any(|each| {
        let state = each.status.and_then(|status| status.state.as_ref());
        state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    });
    let is_of_kubelet = |event: &Event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        reason.starts_with("Failed") && reason != "FailedScheduling"
    };
    if let Some(event) = newest(events, is_of_kubelet).filter(|_| !has_begun) {
        let reason = event.reason.as_deref().unwrap_or_default();
        return Some((None, trouble_of(Kind::Create, reason, event.message.as_deref().unwrap_or_default())));
    }
    let unready = condition(status, "Ready")?;
    let reason =
        unready.reason.as_deref().filter(|reason| !matches!(*reason, "ContainersNotReady" | "PodCompleted"))?;
    Some((None, trouble_of(Kind::Silence, reason, unready.message.as_deref().unwrap_or_default())))
}

fn newest<'a>(events: &[&'a Event], is: impl Fn(&Event) -> bool) -> Option<&'a Event> {
    events.iter().copied().filter(|event| is(event)).max_by_key(|event| seen(event))
}

fn is_said(event: &Event, reason: &str) -> bool {
    event.reason.as_deref() == Some(reason)
}

fn of_container(container: &Container, probe: Option<&Event>) -> Option<Trouble> {
    let status = container.status?;
    let state = status.state.as_ref()?;
    let is_to_end = container.kind == "init container";
    if status.ready || (is_to_end && state.terminated.as_ref().is_some_and(|ended| ended.exit_code == 0)) {
        return None;
    }
    let running_since = state.running.as_ref().map(|running| running.started_at.as_ref().map(|time| time.0));
    let message = |event: &Event| event.message.clone().unwrap_or_default();
    let by_probe = |event| trouble_of(Kind::Probe, "Unhealthy", &message(event));
    match (in_container(status), probe) {
        (Some(crash), Some(event)) if is_killed_by(&message(event), &crash, status) => Some(by_probe(event)),
        // What is said of the run of now counts for more than how the one before has ended.
        (Some(_), Some(event)) if running_since.is_some_and(|since| seen(event) >= since) => Some(by_probe(event)),
        (None, Some(event)) => Some(by_probe(event)),
        (None, None) if is_to_end && state.running.is_some() => {
            Some(trouble_of(Kind::Unended, "Running", "it has not ended, and the other containers wait for it"))
        }
        (crash, _) => crash,
    }
}

/// An event that names no container may be about any.
fn is_about(event: &Event, container: &Container) -> bool {
    let field = event.involved_object.field_path.as_deref().unwrap_or_default();
    field.is_empty() || field.ends_with(&format!("{{{}}}", container.name))
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
    // A program that ends at once is seen running too, for a moment after each of its starts.
    let Some(waiting) = &state.waiting else { return crash };
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
fn is_killed_by(probe: &str, trouble: &Trouble, status: &ContainerStatus) -> bool {
    let now = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    let ended = now.or_else(|| status.last_state.as_ref()?.terminated.as_ref());
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

#[cfg(test)]
mod tests;
