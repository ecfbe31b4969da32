//! What the cluster knows about revisions before the newest one: pods that still serve, and what Argo CD has said.

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;

use super::Cluster;

impl Cluster {
    /// Each ReplicaSet's image, and how many of its pods are available.
    pub async fn serving(&self, namespace: &str, selector: &str, container: &str) -> Result<Vec<(String, i32)>> {
        let sets: Vec<ReplicaSet> = self.list(namespace, &ListParams::default().labels(selector)).await?;
        Ok(sets.iter().filter_map(|set| available(set, container)).collect())
    }

    /// When Argo CD said of the Application that it has become Healthy, as long as the cluster keeps events.
    pub async fn said_healthy(&self, namespace: &str, application: &str) -> Result<Vec<Timestamp>> {
        let fields =
            format!("involvedObject.kind=Application,involvedObject.name={application},reason=ResourceUpdated");
        let events: Vec<Event> = self.list(namespace, &ListParams::default().fields(&fields)).await?;
        Ok(events.iter().filter(|event| is_healthy(event)).filter_map(time).collect())
    }
}

fn available(set: &ReplicaSet, container: &str) -> Option<(String, i32)> {
    let template = set.spec.template.as_ref()?.spec.as_ref()?;
    let container = template.containers.iter().find(|each| each.name == container)?;
    Some((container.image.clone()?, set.status.as_ref()?.available_replicas.unwrap_or(0)))
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
