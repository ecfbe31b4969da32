//! A commit that has been delivered: what a repository and a fake cluster say of it, for tests that spoil one thing.

use serde_json::{Value, json};

use crate::documented;
use crate::world::{APPLICATION, DEPLOYMENT, PODS, REPLICA_SETS, SLICES, World};

pub fn time(minute: u32, second: u32) -> String {
    format!("2026-01-01T12:{minute:02}:{second:02}Z")
}

pub fn application(revision: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "service", "namespace": "argocd"},
        "spec": {},
        "status": {
            "sync": {"status": "Synced", "revision": revision},
            "health": {"status": "Healthy"},
            "history": [{"revision": revision, "deployStartedAt": time(2, 4), "deployedAt": time(2, 5)}],
            "operationState": {"phase": "Succeeded", "message": "successfully synced (all tasks run)"},
        },
    })
}

pub fn deployment(image: &str, available: u32) -> Value {
    json!({
        "metadata": {"name": "service", "uid": "uid", "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "service"}},
            "template": {"spec": {"containers": [{"name": "service", "image": image}]}}},
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": time(2, 15)}]},
    })
}

pub fn replica_sets(image: &str) -> Value {
    json!({"metadata": {}, "items": [{
        "metadata": {"name": "service-new", "ownerReferences": [{"uid": "uid", "kind": "Deployment", "name": "service", "apiVersion": "apps/v1"}],
            "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "service", "image": image}]}}},
    }]})
}

/// The Service leads to these pods.
pub fn slices(pods: &[&str]) -> Value {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|name| json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"name": name}}))
        .collect();
    let slice = json!({"metadata": {"name": "service"}, "addressType": "IPv4", "ports": [{"port": 8080}], "endpoints": endpoints});
    json!({"metadata": {}, "items": [slice]})
}

pub fn pod(name: &str, image: &str, status: &Value) -> Value {
    json!({
        "metadata": {"name": name, "uid": name, "creationTimestamp": time(2, 6), "labels": {"app": "service"},
            "ownerReferences": [{"uid": "new", "kind": "ReplicaSet", "name": "service-new", "apiVersion": "apps/v1"}]},
        "spec": {"nodeName": "worker-1", "containers": [{"name": "service", "image": image}]},
        "status": status,
    })
}

pub fn ready() -> Value {
    json!({
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": time(2, 12)}],
        "containerStatuses": [{"name": "service", "ready": true, "restartCount": 0, "image": "", "imageID": "",
            "state": {"running": {"startedAt": time(2, 8)}}}],
    })
}

pub fn unready(state: &Value, restarts: u32) -> Value {
    json!({
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "service", "ready": false, "restartCount": restarts, "image": "", "imageID": "",
            "state": state["state"], "lastState": state["lastState"]}],
    })
}

/// A change that is pushed, built, bumped and applied; what its two pods do is up to the test.
pub struct Delivery {
    pub world: World,
    pub source: String,
    pub tag: String,
    pub image: String,
}

pub fn delivered() -> Delivery {
    let mut world = World::new();
    world.push("first", 0, "Begin");
    world.write("src/main.rs", "fn main() { println!(\"hello\"); }\n");
    let source = world.push("source", 1, "Greet");
    let tag = format!("sha-{}", &source[..7]);
    let image = world.image(&tag);
    world.push_image(&tag);
    world.tag(&tag, "");
    world.probe("/live");
    let bump = world.push("bump", 2, &format!("ci: update image to {tag}"));
    world.put(APPLICATION, &application(&bump));
    world.put(REPLICA_SETS, &replica_sets(&image));
    world.put("/version", &json!({"version": "0.1.0", "revision": source, "image_tag": tag}));
    world.put("/live", &json!({"alive": true}));
    let delivery = Delivery { world, source, tag, image };
    delivery.pods(2, &ready());
    delivery
}

impl Delivery {
    pub fn pods(&self, available: u32, second: &Value) {
        let (image, world) = (&self.image, &self.world);
        world.put(DEPLOYMENT, &deployment(image, available));
        let pods = [pod("service-a", image, &ready()), pod("service-b", image, second)];
        world.put(PODS, &json!({"metadata": {}, "items": pods}));
        let ready = if available == 2 { &["service-a", "service-b"][..] } else { &["service-a"] };
        world.put(SLICES, &slices(ready));
    }

    pub fn transcript(&self, arguments: &[&str]) -> String {
        self.world.transcript(arguments)
    }

    /// For docs/loopctl.md, with commits that look like some.
    pub fn documented(&self, name: &str) {
        let said = self.transcript(&["where", &self.source]).replace("127.0.0.1:PORT", "192.0.2.7:30800");
        let said = said.replace("<source>", "3f2a1c9").replace("<bump>", "8e5d7a0");
        documented::check(name, &documented::transcript(&["where", "3f2a1c9"], &said));
    }
}
