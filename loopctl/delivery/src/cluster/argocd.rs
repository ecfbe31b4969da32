//! Argo CD's own parts: without them nothing is looked at, however right the Application is.

use anyhow::Result;
use futures_util::future::try_join;
use serde_json::Value;

use super::Cluster;
use super::objects::{DEPLOYMENT, STATEFUL_SET};

const OF_ARGO_CD: &str = "app.kubernetes.io/part-of=argocd";
const COMPONENT: &str = "app.kubernetes.io/component";
/// Those by which a commit gets from git to the cluster; the others serve people.
const NEEDED: [&str; 3] = ["application-controller", "repo-server", "redis"];

/// A part that has no ready pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    pub kind: String,
    pub name: String,
    /// Somebody wants it to have none.
    pub is_scaled_down: bool,
}

impl Cluster {
    /// None when Argo CD has no parts in that namespace: it may be in another one.
    pub async fn idle_parts(&self, namespace: &str) -> Result<Vec<Idle>> {
        let deployments = self.objects(DEPLOYMENT, Some(namespace), OF_ARGO_CD);
        let sets = self.objects(STATEFUL_SET, Some(namespace), OF_ARGO_CD);
        let (deployments, sets) = try_join(deployments, sets).await?;
        let of = |kind: &str, objects: &[Value]| -> Vec<Idle> {
            objects.iter().filter_map(|object| idle(kind, object)).collect()
        };
        Ok([of("deployment", &deployments), of("statefulset", &sets)].concat())
    }
}

fn idle(kind: &str, object: &Value) -> Option<Idle> {
    let component = object["metadata"]["labels"][COMPONENT].as_str()?;
    let is_idle = NEEDED.contains(&component) && object["status"]["readyReplicas"].as_u64().unwrap_or(0) == 0;
    let name = object["metadata"]["name"].as_str()?.to_owned();
    let is_scaled_down = object["spec"]["replicas"].as_u64() == Some(0);
    is_idle.then(|| Idle { kind: kind.to_owned(), name, is_scaled_down })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_idle_without_a_ready_pod_and_only_where_a_commit_needs_it() {
        let check = |component: &str, ready: Value, wanted: u64, expected: Option<bool>| {
            let labels = json!({ COMPONENT: component });
            let object = json!({
                "metadata": {"name": "a", "labels": labels}, "spec": {"replicas": wanted}, "status": {"readyReplicas": ready},
            });
            assert_eq!(idle("deployment", &object).map(|idle| idle.is_scaled_down), expected, "{object}");
        };
        check("repo-server", json!(1), 1, None);
        check("repo-server", Value::Null, 1, Some(false));
        check("repo-server", Value::Null, 0, Some(true));
        check("application-controller", json!(0), 1, Some(false));
        check("server", Value::Null, 0, None);
    }
}
