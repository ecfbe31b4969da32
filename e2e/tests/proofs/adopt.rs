//! A second service and the pull secret, made by loopctl as README and its own next steps say it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::application::{AFTER_A_FAILURE, KIND};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{GIT, IMAGE, Loop, NAMESPACE, service, shell};
use serde_json::Value;

use crate::pull_secret::{SECRET, waits};
use crate::tofu::Tofu;

const SECOND: &str = "second";
const UP: Duration = Duration::from_secs(120);
/// Who may log in to the loop's registry.
const USER: &str = "argo-rust";

/// loopctl in another checkout than its own.
pub fn loopctl_in(the_loop: &Loop, clone: &Clone, arguments: &[&str]) -> Command {
    let mut loopctl = the_loop.loopctl();
    loopctl.current_dir(clone.folder()).args(arguments);
    loopctl.env("KUBECONFIG", the_loop.state.join("kubeconfig")).env_remove("LOOPCTL_REGISTRY_TOKEN");
    loopctl
}

fn make_pull_secret(the_loop: &Loop, clone: &Clone, namespace: &str, token: &str) -> Result<String> {
    let arguments = ["pull-secret", "--namespace", namespace, "--username", USER];
    shell::run_with_input(&mut loopctl_in(the_loop, clone, &arguments), token)
}

fn token(the_loop: &Loop) -> Result<String> {
    fs::read_to_string(the_loop.state.join("keys/registry-password")).context("the password of the loop's registry")
}

pub fn a_pull_secret_made_by_command_lets_waiting_pods_start(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let token = token(the_loop)?;
    the_loop.on_a_clone(|clone, live| {
        let tag = the_loop.fresh_tag(live)?;
        the_loop.ask(&["delete", "secret", SECRET, "--namespace", NAMESPACE])?;
        let outcome: Result<()> = (|| {
            clone.bump(&tag)?;
            the_loop.force_sync()?;
            wait::until("the new pod waits for its image", Duration::from_secs(40), || waits(the_loop, &tag))?;

            let refused = make_pull_secret(the_loop, clone, NAMESPACE, "not-the-password");
            let said = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
            ensure("a wrong token is refused", said.contains("was not stored"), &said)?;
            ensure("the token is not shown", !said.contains("not-the-password"), &said)?;
            ensure("nothing was made", !the_loop.exists(NAMESPACE, "secret", SECRET)?, "the secret is there")?;
            report.control("a wrong token was refused by the registry and not stored; the pod waited on");
            Ok(())
        })();
        // Whatever happened, the proofs that follow need it.
        let said = make_pull_secret(the_loop, clone, NAMESPACE, &token)?;
        outcome?;
        ensure("the token is not shown", !said.contains(token.trim()), "it is")?;
        let kind = the_loop.get(NAMESPACE, "secret", SECRET)?["type"].take();
        expect("the secret's type", kind, Value::from("kubernetes.io/dockerconfigjson"))?;
        let healed = the_loop.wait_rolled_out(&tag)?;
        report.measured(format!("the waiting pod ran {} after the secret was made", seconds(healed)));
        let again = make_pull_secret(the_loop, clone, NAMESPACE, &token)?;
        ensure("a second run renews it", again.contains("Renewed"), again)
    })
}

pub fn a_service_added_by_command_comes_up_with_one_apply(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let port = add(the_loop, clone, live, "tofu")?;
        let tofu = match Tofu::prepare(the_loop, clone)? {
            Ok(tofu) => tofu,
            Err(why) => {
                report.skipped(why);
                return Ok(());
            }
        };
        expect("tofu plan before the apply", tofu.plan()?, 2)?;
        ensure("nobody answers yet", answers(port).is_err(), "somebody does")?;
        report.control(format!("before the apply the plan was not empty and NodePort {port} silent"));
        let outcome: Result<()> = (|| {
            let applied = tofu.apply()?;
            make_pull_secret(the_loop, clone, SECOND, &token(the_loop)?)?;
            let (_, took) = wait::until("the second service answers", UP, || answers(port))?;
            expect("tofu plan after the apply", tofu.plan()?, 0)?;
            report.measured(format!(
                "tofu apply: {applied}; answering on {port} {} after its pull secret",
                seconds(took)
            ));
            Ok(())
        })();
        let gone = the_loop.ask(&["delete", "namespace", SECOND, "--ignore-not-found", "--timeout=90s"]);
        outcome.and(gone.map(drop))
    })
}

pub fn a_service_added_for_git_is_delivered_and_removed_again(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let before = tree(clone)?;
        let port = add(the_loop, clone, live, "git")?;
        let commit = clone.push_without_run("Add a second service")?;
        let outcome = deliver_second(the_loop, clone, live, port, &commit, report);
        let cleaned = clean_up(the_loop);
        shell::run(&mut loopctl_in(the_loop, clone, &["service", "remove", SECOND, "--yes"]))?;
        if outcome.is_ok() {
            expect("the repository after `service remove`", tree(clone)?, before)?;
        }
        clone.push_without_run("Remove the second service")?;
        outcome.and(cleaned)
    })
}

fn deliver_second(
    the_loop: &Loop,
    clone: &Clone,
    live: &str,
    port: u64,
    commit: &str,
    report: &mut Report,
) -> Result<()> {
    let declare = |file: &str| {
        let text = clone.read(file)?;
        // On one machine the repository has another address; `loopctl up` replaces it in the same way.
        the_loop.apply(&text.replace(&format!("https://github.com/{}.git", IMAGE.trim_start_matches("ghcr.io/")), GIT))
    };
    declare(&format!("k8s/{SECOND}/namespace.yaml"))?;
    declare(&format!("argocd/{SECOND}/project.yaml"))?;
    declare(&format!("argocd/{SECOND}/application.yaml"))?;
    let (said, _) = wait::until("the sync fails without its account", UP, || {
        let state = the_loop.get("argocd", KIND, SECOND)?["status"]["operationState"].take();
        let message = state["message"].as_str().unwrap_or_default().to_owned();
        ensure("a refusal", message.contains("second-sync") && state["phase"] != "Succeeded", state)?;
        Ok(message)
    })?;
    report.control(format!("without argocd/{SECOND}/sync-account.yaml Argo CD could sync nothing: {said:.90}"));

    declare(&format!("argocd/{SECOND}/sync-account.yaml"))?;
    wait::until("Argo CD has made the Deployment", AFTER_A_FAILURE, || {
        ensure("the Deployment is there", the_loop.exists(SECOND, "deployment", SECOND)?, "it is not")
    })?;
    make_pull_secret(the_loop, clone, SECOND, &token(the_loop)?)?;
    let (_, took) = wait::until("the second service answers", UP, || answers(port))?;
    report.measured(format!("delivered by git: answering on {port} {} after its pull secret", seconds(took)));
    the_loop.force_sync()?;
    the_loop.wait_synced(commit, AFTER_A_FAILURE)?;
    let resources = the_loop.application()?["status"]["resources"].take();
    let names = resources.as_array().map(|all| all.iter().all(|resource| resource["name"] != SECOND));
    expect("the first Application leaves the second service alone", names, Some(true))?;

    let tag = the_loop.fresh_tag(live)?;
    clone.replace(&format!("k8s/{SECOND}/deployment.yaml"), &format!("{IMAGE}:{live}"), &format!("{IMAGE}:{tag}"))?;
    clone.push_without_run("Deliver another image of the second service")?;
    let (_, took) = wait::until("the second service runs its next image", UP, || {
        let deployment = the_loop.get(SECOND, "deployment", SECOND)?;
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        expect("the image", image.clone(), Value::from(format!("{IMAGE}:{tag}")))?;
        expect("pods of it", deployment["status"]["updatedReplicas"].clone(), Value::from(1))?;
        expect("pods at all", deployment["status"]["replicas"].clone(), Value::from(1))?;
        expect("pods that are available", deployment["status"]["availableReplicas"].clone(), Value::from(1))
    })?;
    report.measured(format!("its next image was live {} after the commit", seconds(took)));
    Ok(())
}

/// The steps that `service remove` prints.
fn clean_up(the_loop: &Loop) -> Result<()> {
    let delete = |arguments: &[&str]| {
        the_loop.ask(&[&["delete", "--ignore-not-found", "--timeout=90s"], arguments].concat()).map(drop)
    };
    delete(&["--namespace=argocd", KIND, SECOND])?;
    delete(&["--namespace=argocd", "appprojects.argoproj.io", SECOND])?;
    delete(&["namespace", SECOND])?;
    delete(&["--namespace=argocd", "serviceaccount", "second-sync"])?;
    for kind in ["role", "rolebinding"] {
        delete(&["--namespace=argocd", kind, "second-sync-impersonation"])?;
        delete(&[&format!("cluster{kind}"), "second-sync"])?;
    }
    Ok(())
}

/// Adds the service twice, which must be as good as once, and returns its NodePort.
fn add(the_loop: &Loop, clone: &Clone, live: &str, by: &str) -> Result<u64> {
    let image = format!("{IMAGE}:{live}");
    let arguments = ["service", "add", SECOND, "--image", &image, "--delivered-by", by, "-o", "json"];
    let said = shell::run(&mut loopctl_in(the_loop, clone, &arguments))?;
    let answer: Value = serde_json::from_str(&said).context("the answer of `service add`")?;
    expect("the cluster was asked for its NodePorts", answer["cluster_not_asked"].is_null(), true)?;
    let once = tree(clone)?;
    shell::run(&mut loopctl_in(the_loop, clone, &arguments))?;
    expect("the repository after the same again", tree(clone)?, once)?;
    answer["service"]["node_port"].as_u64().context("the answer names no NodePort")
}

fn answers(port: u64) -> Result<()> {
    service::get_at(&format!("127.0.0.1:{port}"), service::probe_path()?).map(drop)
}

/// All files of the clone, as git names a whole tree.
pub fn tree(clone: &Clone) -> Result<String> {
    shell::run(clone.git().args(["add", "--all"]))?;
    shell::run(clone.git().arg("write-tree"))
}
