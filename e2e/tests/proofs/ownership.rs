//! Who may change what: OpenTofu the sizing, git the rest, a hand nothing.

use std::time::Duration;

use anyhow::{Result, bail};
use e2e::application::{AFTER_A_FAILURE, KIND, SYNC};
use e2e::faults::PROVIDER;
use e2e::report::{Report, ensure, expect};
use e2e::wait::{self, seconds};
use e2e::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE, service};
use serde_json::{Value, json};

const RESPECT: &str = "RespectIgnoreDifferences=true";
const NODE_PORT: u16 = 30801;
/// The third edit in a row is reverted after 18 s at the latest.
const HEAL: Duration = Duration::from_secs(60);

/// What OpenTofu owns: replicas, resources, NodePort.
fn sizing(the_loop: &Loop) -> Result<Value> {
    let deployment = the_loop.deployment()?;
    let service = the_loop.get(NAMESPACE, "service", DEPLOYMENT)?;
    Ok(json!({
        "replicas": deployment["spec"]["replicas"],
        "resources": deployment["spec"]["template"]["spec"]["containers"][0]["resources"],
        "nodePort": service["spec"]["ports"][0]["nodePort"],
    }))
}

/// Writes it as the provider does: a patch that replaces the whole spec of each object.
fn set_sizing(the_loop: &Loop, sizing: &Value) -> Result<()> {
    let mut spec = the_loop.deployment()?["spec"].take();
    spec["replicas"] = sizing["replicas"].clone();
    spec["template"]["spec"]["containers"][0]["resources"] = sizing["resources"].clone();
    let replace = |spec: Value| json!([{"op": "replace", "path": "/spec", "value": spec}]);
    the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, PROVIDER, &replace(spec))?;
    let mut spec = the_loop.get(NAMESPACE, "service", DEPLOYMENT)?["spec"].take();
    spec["ports"][0]["nodePort"] = sizing["nodePort"].clone();
    the_loop.patch(NAMESPACE, "service", DEPLOYMENT, PROVIDER, &replace(spec))
}

pub fn an_image_bump_keeps_the_sizing_that_was_set_outside_git(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let before = sizing(the_loop)?;
    let options = the_loop.sync_options()?;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    ensure("the Application respects the differences it ignores", options.contains(&RESPECT), options.join(" "))?;
    let outcome = the_loop.on_a_clone(|clone, live| {
        let outcome = keep_sizing(the_loop, clone, live, &options, report);
        the_loop.set_sync_options(&options)?;
        set_sizing(the_loop, &before)?;
        outcome
    });
    expect("the sizing after the proof", sizing(the_loop)?, before)?;
    outcome
}

fn keep_sizing(
    the_loop: &Loop,
    clone: &e2e::repository::Clone,
    live: &str,
    options: &[&str],
    report: &mut Report,
) -> Result<()> {
    let wanted = json!({
        "replicas": 2,
        "resources": {
            "requests": {"cpu": "60m", "memory": "40Mi"},
            "limits": {"cpu": "300m", "memory": "80Mi"},
        },
        "nodePort": NODE_PORT,
    });
    let tags = [the_loop.fresh_tag(live)?, the_loop.fresh_tag(live)?];
    set_sizing(the_loop, &wanted)?;
    expect("the sizing that was written", sizing(the_loop)?, wanted.clone())?;
    // A sync that loses the sizing has lost it at once: only the last bump is followed to its pods.
    let bump = |tag: &str| -> Result<()> {
        let commit = clone.bump(tag)?;
        the_loop.force_sync()?;
        the_loop.wait_synced(&commit, SYNC).map(drop)
    };

    bump(&tags[0])?;
    expect("the sizing after an image bump", sizing(the_loop)?, wanted.clone())?;
    let healed = edit_by_hand(the_loop)?;
    expect("the sizing after selfHeal", sizing(the_loop)?, wanted.clone())?;
    bump(&tags[1])?;
    expect("the sizing after the second bump", sizing(the_loop)?, wanted.clone())?;
    let (_, lived) = the_loop.deliver(clone, &tags[0])?;
    expect("the sizing after the third bump", sizing(the_loop)?, wanted.clone())?;
    service::get_at(&format!("127.0.0.1:{NODE_PORT}"), service::probe_path()?)?;
    report.measured(format!(
        "2 replicas, 300m/80Mi and NodePort {NODE_PORT}, written as {PROVIDER}, outlived 3 bumps (the last live after {}) and a selfHeal ({})",
        seconds(lived),
        seconds(healed)
    ));

    // The same without the option: the next bump has to lose it, or this proof proves nothing.
    let without: Vec<&str> = options.iter().copied().filter(|option| *option != RESPECT).collect();
    the_loop.set_sync_options(&without)?;
    the_loop.deliver(clone, &tags[1])?;
    let lost = sizing(the_loop)?;
    report.control(format!(
        "without {RESPECT} the next bump reset replicas to {} and the CPU limit to {}",
        lost["replicas"], lost["resources"]["limits"]["cpu"]
    ));
    ensure("replicas and resources are lost", lost["replicas"] != 2 && lost["resources"] != wanted["resources"], lost)
}

/// Changes a field that git owns and waits until it is git's again.
fn edit_by_hand(the_loop: &Loop) -> Result<Duration> {
    let in_git = the_loop.deployment()?["spec"]["minReadySeconds"].take();
    let edit = json!([{"op": "replace", "path": "/spec/minReadySeconds", "value": 7}]);
    the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, "a-hand", &edit)?;
    let (_, took) = wait::until("selfHeal puts minReadySeconds back", HEAL, || {
        let live = the_loop.deployment()?["spec"]["minReadySeconds"].take();
        ensure("what git says", live == in_git, live)
    })?;
    Ok(took)
}

pub fn a_manual_edit_is_reverted(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let mut took = Vec::new();
    took.push(format!("minReadySeconds {}", seconds(edit_by_hand(the_loop)?)));

    let image = the_loop.deployment()?["spec"]["template"]["spec"]["containers"][0]["image"].take();
    let edit = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "ghcr.io/voloshko/argo-rust:sha-fffffff"}]);
    the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, "a-hand", &edit)?;
    let (_, healed) = wait::until("selfHeal puts the image back", HEAL, || {
        let live = the_loop.deployment()?["spec"]["template"]["spec"]["containers"][0]["image"].take();
        ensure("what git says", live == image, live)
    })?;
    took.push(format!("image {}", seconds(healed)));

    let edit = json!([{"op": "replace", "path": "/spec/selector/app.kubernetes.io~1name", "value": "nobody"}]);
    the_loop.patch(NAMESPACE, "service", DEPLOYMENT, "a-hand", &edit)?;
    let (_, healed) = wait::until("selfHeal puts the Service's selector back", HEAL, || {
        let live = the_loop.get(NAMESPACE, "service", DEPLOYMENT)?["spec"]["selector"].take();
        ensure("what git says", live["app.kubernetes.io/name"] == "argo-rust", live)
    })?;
    took.push(format!("the Service's selector {}", seconds(healed)));
    report.measured(format!("reverted after: {}", took.join(", ")));

    let heal = |on: bool| {
        let patch = json!([{"op": "replace", "path": "/spec/syncPolicy/automated/selfHeal", "value": on}]);
        the_loop.patch("argocd", KIND, APPLICATION, "e2e", &patch)
    };
    heal(false)?;
    let stays = Duration::from_secs(8);
    let in_git = the_loop.deployment()?["spec"]["minReadySeconds"].take();
    let set = |seconds: Value| {
        let edit = json!([{"op": "replace", "path": "/spec/minReadySeconds", "value": seconds}]);
        the_loop.patch(NAMESPACE, "deployment", DEPLOYMENT, "a-hand", &edit)
    };
    let outcome = set(json!(7)).and_then(|()| {
        wait::throughout("the edit stays without selfHeal", stays, || {
            let live = the_loop.deployment()?["spec"]["minReadySeconds"].take();
            ensure("7", live == 7, live)
        })
    });
    // By hand: selfHeal waits three times longer for each edit that it reverts without a commit in between.
    set(in_git)?;
    heal(true)?;
    outcome?;
    report.control(format!("with selfHeal off the same edit stayed for {}", seconds(stays)));
    let tag = image.as_str().and_then(|image| image.rsplit(':').next()).unwrap_or_default().to_owned();
    the_loop.wait_rolled_out(&tag)?;
    Ok(())
}

const EXTRA: &str = "k8s/extra.yaml";

pub fn a_file_removed_from_git_is_pruned_but_never_namespace_or_service(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    the_loop.on_a_clone(|clone, _| {
        let extra = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "extra", "namespace": NAMESPACE},
            "spec": {"selector": {"app.kubernetes.io/name": "argo-rust"}, "ports": [{"port": 80, "targetPort": 8080}]},
        });
        clone.write(EXTRA, &extra.to_string())?;
        let commit = clone.push_without_run("Add a Service without the annotation")?;
        the_loop.force_sync()?;
        the_loop.wait_synced(&commit, SYNC)?;
        ensure("the extra Service is made", the_loop.exists(NAMESPACE, "service", "extra")?, "it is not there")?;
        let uids = [uid(the_loop, "namespace")?, uid(the_loop, "service")?];

        for file in [EXTRA, "k8s/namespace.yaml", "k8s/service.yaml"] {
            clone.remove(file)?;
        }
        let commit = clone.push_without_run("Remove three files")?;
        the_loop.force_sync()?;
        let (_, pruned) = wait::until("the Service without the annotation is pruned", SYNC, || {
            if the_loop.exists(NAMESPACE, "service", "extra")? { bail!("it is still there") } else { Ok(()) }
        })?;
        wait::until("the sync has ended", AFTER_A_FAILURE, || {
            let operation = the_loop.application()?["status"]["operationState"].take();
            let ended = operation["syncResult"]["revision"] == commit.as_str() && operation["phase"] == "Succeeded";
            ensure("Succeeded", ended, format!("{} of {}", operation["phase"], operation["syncResult"]["revision"]))
        })?;
        wait::throughout("Namespace and Service stay as they are", Duration::from_secs(5), || {
            expect("their identity", [uid(the_loop, "namespace")?, uid(the_loop, "service")?], uids.clone())?;
            service::probe().map(drop)
        })?;
        report.measured("with all three files gone Namespace and Service stayed, and the service answered");
        report.control(format!(
            "the Service without the annotation, in the same commit, was gone after {}",
            seconds(pruned)
        ));
        Ok(())
    })
}

/// Fails on an object that is being deleted.
fn uid(the_loop: &Loop, kind: &str) -> Result<String> {
    let object = the_loop.get(NAMESPACE, kind, DEPLOYMENT)?;
    if !object["metadata"]["deletionTimestamp"].is_null() {
        bail!("the {kind} is being deleted");
    }
    Ok(object["metadata"]["uid"].as_str().unwrap_or_default().to_owned())
}
