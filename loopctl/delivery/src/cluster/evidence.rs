//! What the cluster knows about revisions before the newest one: pods that still serve, and what Argo CD has said.

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;

use super::Cluster;

const REVISION: &str = "deployment.kubernetes.io/revision";

/// One state that the Deployment has had, with the pods that are left of it.
#[derive(Clone, Debug)]
pub struct Set {
    pub image: String,
    pub available: i32,
    pub created: Option<Timestamp>,
    /// Raised when an old state is taken up again.
    pub number: Option<u64>,
}

/// What Argo CD has said of the Application, as long as the cluster keeps events.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// When it has become Healthy.
    pub healthy: Vec<Timestamp>,
    /// Commits whose sync went through, of several sources each.
    pub synced: Vec<(Vec<String>, Timestamp)>,
}

impl Cluster {
    pub async fn serving(&self, namespace: &str, selector: &str, container: &str) -> Result<Vec<Set>> {
        let sets: Vec<ReplicaSet> = self.list(namespace, &ListParams::default().labels(selector)).await?;
        Ok(sets.iter().filter_map(|set| state(set, container)).collect())
    }

    pub async fn said(&self, namespace: &str, application: &str) -> Result<Said> {
        let fields = format!("involvedObject.kind=Application,involvedObject.name={application}");
        let events: Vec<Event> = self.list(namespace, &ListParams::default().fields(&fields)).await?;
        let synced = events.iter().filter_map(|event| Some((synced(event)?, time(event)?)));
        Ok(Said {
            synced: synced.collect(),
            healthy: events.iter().filter(|event| is_healthy(event)).filter_map(time).collect(),
        })
    }
}

fn state(set: &ReplicaSet, container: &str) -> Option<Set> {
    let template = set.spec.template.as_ref()?.spec.as_ref()?;
    let container = template.containers.iter().find(|each| each.name == container)?;
    let number = set.metadata.annotations.as_ref().and_then(|annotations| annotations.get(REVISION)?.parse().ok());
    Some(Set {
        image: container.image.clone()?,
        available: set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0),
        created: set.metadata.creation_timestamp.as_ref().map(|time| time.0),
        number,
    })
}

/// `Sync operation to COMMIT succeeded`, or of a part of the objects.
fn synced(event: &Event) -> Option<Vec<String>> {
    let words: Vec<&str> = event.message.as_deref()?.split(' ').collect();
    match words.as_slice() {
        [.., "operation", "to", commits, "succeeded"] => Some(commits.split(',').map(str::to_owned).collect()),
        _ => None,
    }
}

/// `Updated health status: Progressing -> Healthy`, as Argo CD's controller writes it.
fn is_healthy(event: &Event) -> bool {
    let message = event.message.as_deref().unwrap_or_default();
    message.strip_prefix("Updated health status: ").is_some_and(|change| change.trim_end().ends_with("-> Healthy"))
}

fn time(event: &Event) -> Option<Timestamp> {
    event.last_timestamp.as_ref().map(|time| time.0).or_else(|| event.event_time.as_ref().map(|time| time.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_that_went_through_names_its_commits() {
        let check = |message: &str, expected: Option<&[&str]>| {
            let event = Event { message: Some(message.into()), ..Event::default() };
            let expected = expected.map(|commits| commits.iter().map(|each| (*each).to_owned()).collect::<Vec<_>>());
            assert_eq!(synced(&event), expected, "{message}");
        };
        check("Sync operation to 0123abc succeeded", Some(&["0123abc"]));
        check("Partial sync operation to 0123abc succeeded", Some(&["0123abc"]));
        check("Sync operation to 0123abc,4567def succeeded", Some(&["0123abc", "4567def"]));
        check("Sync operation to 0123abc failed: one or more objects failed to apply", None);
        check("Sync operation succeeded", None);
        check("Initiated automated sync to '0123abc'", None);
    }

    #[test]
    fn only_a_change_to_healthy_is_one() {
        let check = |message: &str, expected: bool| {
            let event = Event { message: Some(message.into()), ..Event::default() };
            assert_eq!(is_healthy(&event), expected, "{message}");
        };
        check("Updated health status: Progressing -> Healthy", true);
        check("Updated health status: Degraded -> Healthy", true);
        check("Updated health status: Healthy -> Progressing (Caused by apps/Deployment:a/b)", false);
        check("Updated sync status: OutOfSync -> Synced", false);
    }
}
