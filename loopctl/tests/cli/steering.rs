//! `rollback`, `resume` and `guard` against a repository and a fake cluster, as they are read in a terminal.

use std::process::Command;

use serde_json::{Value, json};

use crate::delivered::{pod, ready, slices};
use crate::documented;
use crate::world::{APPLICATION, DEPLOYMENT, PODS, REPLICA_SETS, SLICES, World};

/// A good revision whose pods serve on, and a bad one whose only pod crashes.
struct Incident {
    world: World,
    good: String,
    bad: String,
}

impl Incident {
    fn new() -> Self {
        let mut world = World::new();
        write(&world, "0000000");
        world.push("first", 0, "Begin");
        let mut deployed = Vec::new();
        for (name, minute) in [("good", 1), ("bad", 3)] {
            world.write("src/main.rs", &format!("fn main() {{ {name}() }}\n"));
            let revision = world.push(name, minute, "Change the service")[..7].to_owned();
            write(&world, &revision);
            world.push(&format!("{name} bump"), minute + 1, &format!("ci: update image to sha-{revision}"));
            world.push_image(&format!("sha-{revision}"));
            deployed.push(revision);
        }
        let bad = deployed.pop().expect("two were deployed");
        let good = deployed.pop().expect("two were deployed");
        let incident = Self { world, good, bad };
        incident.crash();
        incident
    }

    fn image(&self, revision: &str) -> String {
        self.world.image(&format!("sha-{revision}"))
    }

    fn crash(&self) {
        let owned = json!([{"uid": "uid", "kind": "Deployment", "name": "service", "apiVersion": "apps/v1"}]);
        let set = |name: &str, revision: &str, number: &str, available: u32| {
            json!({
                "metadata": {"name": name, "ownerReferences": owned,
                    "annotations": {"deployment.kubernetes.io/revision": number}},
                "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "service", "image": self.image(revision)}]}}},
                "status": {"replicas": available, "availableReplicas": available},
            })
        };
        let sets = [set("service-good", &self.good, "1", 2), set("service-bad", &self.bad, "2", 0)];
        self.world.put(REPLICA_SETS, &json!({"metadata": {}, "items": sets}));
        self.world.put(DEPLOYMENT, &json!({
            "metadata": {"name": "service", "uid": "uid", "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "2"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "service"}},
                "template": {"spec": {"containers": [{"name": "service", "image": self.image(&self.bad)}]}}},
            "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
                "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "message": "ReplicaSet \"service-bad\" has timed out progressing."}]},
        }));
        let status = json!({"name": "service", "ready": false, "restartCount": 2, "image": "", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 64}}});
        let pod = json!({
            "metadata": {"name": "service-bad-x", "uid": "x", "creationTimestamp": "2026-01-01T12:04:00Z",
                "ownerReferences": [{"uid": "bad", "kind": "ReplicaSet", "name": "service-bad", "apiVersion": "apps/v1"}]},
            "spec": {"containers": [{"name": "service", "image": self.image(&self.bad)}]},
            "status": {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [status]},
        });
        self.world.put(PODS, &json!({"metadata": {}, "items": [pod]}));
        self.world.put_with(
            &format!("{PODS}/service-bad-x/log"),
            200,
            "starting\nerror: nowhere is no address to listen on\n",
        );
        self.world.put(
            APPLICATION,
            &json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "service", "namespace": "argocd"}, "spec": {}, "status": {},
            }),
        );
        self.world.put("/api/v1/namespaces/argocd/events", &json!({"metadata": {}, "items": []}));
    }

    /// Every pod runs what the manifest names, and Argo CD has synced `revision`.
    fn heal(&self, revision: &str, spec: &Value) {
        let image = self.image(&self.bad);
        let mut deployment = json!({
            "metadata": {"name": "service", "uid": "uid", "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "2"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "service"}},
                "template": {"spec": {"containers": [{"name": "service", "image": image}]}}},
            "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        });
        for (field, value) in spec.as_object().expect("fields of a spec") {
            deployment["spec"][field] = value.clone();
        }
        if spec["paused"] == true {
            deployment["status"]["updatedReplicas"] = 0.into();
        }
        self.world.put(DEPLOYMENT, &deployment);
        let mut pod = pod("service-bad-y", &image, &ready());
        pod["metadata"]["ownerReferences"][0]["name"] = "service-bad".into();
        self.world.put(PODS, &json!({"metadata": {}, "items": [pod]}));
        self.world.put(SLICES, &slices(&["service-bad-y"]));
        self.world.put(
            APPLICATION,
            &json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "service", "namespace": "argocd"}, "spec": {},
                "status": {"sync": {"status": "Synced", "revision": revision}},
            }),
        );
    }

    /// No pod of the good revision is left, and Argo CD has said nothing.
    fn forget(&self) {
        self.world.put(REPLICA_SETS, &json!({"metadata": {}, "items": []}));
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(self.world.path("owner/name.git")).args(arguments).output();
        String::from_utf8_lossy(&output.expect("git can be run").stdout).trim_end().to_owned()
    }

    /// A commit of loopctl has another number in every run.
    fn transcript(&self, arguments: &[&str]) -> String {
        let said = self.world.transcript(arguments);
        let tip = self.git(&["rev-parse", "master"]);
        said.replace(&tip, "<tip>").replace(&tip[..7], "<tip>")
    }

    /// As in a document: with numbers that look like those of commits.
    fn documented(&self, command: &[&str]) -> String {
        let said = self.transcript(command).replace("<tip>", "8e5d7a0").replace("127.0.0.1:PORT", "ghcr.io");
        documented::transcript(command, &said.replace("<good>", "3f2a1c9").replace("<bad>", "b920bd3"))
    }

    /// What the developer does while the rollback holds.
    fn repair(&mut self) {
        let clone = self.world.path("clone");
        let pulled = Command::new("git")
            .arg("-C")
            .arg(clone)
            .args(["pull", "--quiet", "--ff-only", "origin", "master"])
            .status();
        assert!(pulled.expect("git can be run").success());
        self.world.write("src/main.rs", "fn main() { repaired() }\n");
        self.world.push("repair", 6, "Repair the service");
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.world.loopctl(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// Written as people write it, a key a line.
fn write(world: &World, revision: &str) {
    world.write(
        "k8s/deployment.yaml",
        &format!(
            "metadata:\n  name: service\n  namespace: service\nspec:\n  selector:\n    matchLabels: {{app: service}}\n  \
             template:\n    spec:\n      containers:\n        - name: service\n          image: {}\n",
            world.image(&format!("sha-{revision}"))
        ),
    );
}

#[test]
fn a_rollback_is_shown_asked_for_and_done_once() {
    let incident = Incident::new();
    let before = incident.git(&["rev-parse", "master"]);
    let reason = ["rollback", "--reason", "It crashes"];
    insta::assert_snapshot!("rollback_dry_run", incident.transcript(&[&reason[..], &["--dry-run"]].concat()));
    insta::assert_snapshot!("rollback_without_a_terminal", incident.transcript(&reason));
    let moved_on = incident.transcript(&[&reason[..], &["--bad", "1234567"]].concat());
    insta::assert_snapshot!("rollback_moved_on", moved_on);
    assert_eq!(incident.git(&["rev-parse", "master"]), before, "nothing was pushed so far");
    let done = incident.json(&[&reason[..], &["--yes", "-o", "json"]].concat());
    assert_eq!(done["outcome"], "rolled_back", "{done}");
    assert_eq!((&done["bad"], &done["good"]), (&json!(incident.bad), &json!(incident.good)), "{done}");
    assert_eq!(done["plan"]["seen_healthy"], json!({"by": "pods", "available": 2}), "{done}");
    assert_eq!(done["commit"], incident.git(&["rev-parse", "master"]), "{done}");
    assert_eq!(incident.git(&["rev-parse", "master^"]), before, "one commit on top of the newest");
    insta::assert_snapshot!("rollback_again", incident.transcript(&[&reason[..], &["--yes"]].concat()));
    insta::assert_snapshot!("resume_dry_run", incident.transcript(&["resume", "--dry-run"]));
    let lifted = incident.json(&["resume", "--yes", "-o", "json"]);
    assert_eq!((&lifted["outcome"], &lifted["plan"]["unchanged"]), (&json!("resumed"), &json!(true)), "{lifted}");
    insta::assert_snapshot!("resume_nothing_held", incident.transcript(&["resume"]));
}

#[test]
fn without_evidence_or_without_its_image_no_revision_is_gone_back_to() {
    let incident = Incident::new();
    let before = incident.git(&["rev-parse", "master"]);
    incident.world.put_with(
        &format!("/v2/owner/name/manifests/sha-{}", incident.good),
        404,
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#,
    );
    let yes = ["rollback", "--reason", "It crashes", "--yes"];
    insta::assert_snapshot!("rollback_image_gone", incident.transcript(&yes));
    incident.forget();
    insta::assert_snapshot!("rollback_nothing_seen", incident.transcript(&yes));
    assert_eq!(incident.git(&["rev-parse", "master"]), before);
}

#[test]
fn guard_rolls_a_failed_rollout_back_once_and_keeps_its_log_out_of_the_commit() {
    let incident = Incident::new();
    insta::assert_snapshot!("guard_no_push", incident.transcript(&["guard", "--no-push"]));
    let done = incident.json(&["guard", "-o", "json"]);
    assert_eq!(done["outcome"], "rolled_back", "{done}");
    let message = incident.git(&["log", "-1", "--format=%B", "master"]);
    assert!(message.contains("exit code 64") && message.contains("timed out progressing"), "{message}");
    assert!(!message.contains("nowhere"), "a container's log is in the commit:\n{message}");
    let tip = incident.git(&["rev-parse", "master"]);
    insta::assert_snapshot!("guard_again", incident.transcript(&["guard"]));
    assert_eq!(incident.git(&["rev-parse", "master"]), tip);
}

#[test]
fn guard_follows_a_commit_that_leaves_the_tag_as_it_is() {
    let mut incident = Incident::new();
    let before = incident.git(&["rev-parse", "master"]);
    let text = std::fs::read_to_string(incident.world.path("clone/k8s/deployment.yaml")).expect("a manifest");
    incident.world.write("k8s/deployment.yaml", &format!("# A word more.\n{text}"));
    let newest = incident.world.push("explain", 7, "Explain the manifest");
    let guard = ["guard", "--deadline", "2s"];
    incident.heal(&before, &json!({}));
    let said = incident.transcript(&guard);
    assert!(said.starts_with("exit code: 5\n"), "{said}");
    assert!(said.contains("Argo CD has not synced <explain> yet: it is at revision"), "{said}");
    incident.heal(&newest, &json!({}));
    let said = incident.transcript(&guard);
    assert!(said.starts_with("exit code: 0\n"), "{said}");
    for (spec, word) in [(json!({"paused": true}), "paused"), (json!({"replicas": 0}), "scaled to 0")] {
        incident.heal(&newest, &spec);
        let said = incident.transcript(&guard);
        assert!(said.starts_with("exit code: 5\n") && said.contains(word), "{said}");
        assert!(said.contains("nothing was rolled back"), "{said}");
    }
    // Who may not read the Application does not know, and says so.
    incident.heal(&newest, &json!({}));
    incident.world.put_with(
        APPLICATION,
        403,
        r#"{"kind": "Status", "code": 403, "message": "forbidden", "status": "Failure", "reason": "Forbidden"}"#,
    );
    let said = incident.transcript(&guard);
    assert!(said.starts_with("exit code: 6\n") && said.contains("forbidden"), "{said}");
    assert_eq!(incident.git(&["rev-parse", "master"]), newest, "nothing was pushed");
}

#[test]
fn guard_that_may_not_push_prints_the_command_and_ends_with_9() {
    let incident = Incident::new();
    let hook = incident.world.path("owner/name.git/hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().expect("a folder")).expect("a folder");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("a hook");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    let said = incident.transcript(&["guard"]);
    assert!(said.starts_with("exit code: 9\n"), "{said}");
    assert!(said.contains("cargo loopctl rollback --bad <bad> --to <good> --reason '"), "{said}");
}

#[test]
fn the_documents_transcripts_of_going_back_are_true() {
    let mut incident = Incident::new();
    let rolled_back = incident.documented(&["rollback", "--reason", "It crashes", "--yes"]);
    incident.repair();
    let resumed = incident.documented(&["resume", "--yes"]);
    documented::check("rollback", &rolled_back);
    documented::check("resume", &resumed);
    documented::check("guard", &Incident::new().documented(&["guard", "--no-push"]));
}
