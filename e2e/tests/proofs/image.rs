//! What the image is made of, how it runs, and what a new one costs a node.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::seconds;
use e2e::{Loop, NAMESPACE, shell};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

const NAME: &str = "localhost/argo-rust-e2e";
/// The Dockerfile's first compiling step: it knows Cargo.toml and Cargo.lock, and no source.
const DEPENDENCIES: &str = "RUN mkdir src";

/// As the workflow's stand-in builds it.
fn command(the_loop: &Loop, clone: &Clone, tag: &str, revision: &str) -> Command {
    let mut build = the_loop.buildah();
    build.args(["build", "--network=host", "--pull=false", "--layers", "--build-arg"]);
    build.arg(format!("REVISION={revision}")).args(["--tag", &format!("{NAME}:{tag}"), "."]);
    build.current_dir(clone.folder());
    build
}

/// Whether the dependencies came from the cache, and the time that the build took.
fn build(the_loop: &Loop, clone: &Clone, tag: &str, revision: &str) -> Result<(bool, Duration)> {
    let begin = Instant::now();
    let output = command(the_loop, clone, tag, revision).output().context("cannot run buildah")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the image cannot be built: {}", shell::last_lines(&said, 12));
    }
    let mut lines = said.lines().skip_while(|line| !line.contains(DEPENDENCIES));
    lines.next().with_context(|| format!("the build shows no step {DEPENDENCIES:?}"))?;
    let reused = lines.take_while(|line| !line.contains("STEP ")).any(|line| line.contains("Using cache"));
    Ok((reused, begin.elapsed()))
}

/// The first dependency that a build compiles; it is ended there, as what follows would show nothing more.
fn first_compiled(the_loop: &Loop, clone: &Clone, revision: &str) -> Result<Option<String>> {
    let build = command(the_loop, clone, "manifest", revision);
    // cargo speaks on standard error, and buildah hands that on; a group of its own, so that all of it can be ended.
    let script = [OsStr::new("-c"), OsStr::new("exec \"$@\" 2>&1"), OsStr::new("sh"), build.get_program()];
    let mut shell = Command::new("sh");
    shell.args(script).args(build.get_args()).current_dir(clone.folder());
    shell.envs(build.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = shell.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("its output was asked for")?).lines();
    let found = lines.map_while(Result::ok).find(|line| line.trim_start().starts_with("Compiling "));
    kill_process_group(Pid::from_child(&child), Signal::TERM)?;
    child.wait()?;
    shell::run(the_loop.buildah().args(["rm", "--all"]))?;
    Ok(found.map(|line| line.trim().to_owned()))
}

pub fn a_change_of_the_source_compiles_no_dependency_again(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    // What is deployed, once more: every layer of it should be in the cache already, and is from here on.
    let built = clone.tag()?;
    let revision = shell::run(clone.git().args(["rev-parse", built.trim_start_matches("sha-")]))?;
    let revision = revision.trim();
    build(the_loop, &clone, "before", revision)?;
    let main = clone.read("src/main.rs")?;
    clone.write("src/main.rs", &format!("{main}// a change of one line\n"))?;
    let (reused, warm) = build(the_loop, &clone, "source", revision)?;
    ensure("the dependency layer comes from the cache", reused, "it was built again")?;

    let manifest = clone.read("Cargo.toml")?;
    // One that the cache of no earlier run can have.
    clone.write("Cargo.toml", &format!("{manifest}\n# a change of the manifest: {}\n", Loop::unused_tag()?))?;
    report.measured(format!("one line of src changed: built in {}", seconds(warm)));
    let compiled =
        first_compiled(the_loop, &clone, revision)?.context("with another Cargo.toml nothing is compiled")?;
    ensure("a dependency is compiled", !compiled.contains(" argo-rust "), &compiled)?;
    report.control(format!("Cargo.toml changed: the dependencies are built again, beginning with {compiled}"));
    for tag in ["before", "source"] {
        shell::run(the_loop.buildah().args(["rmi", &format!("{NAME}:{tag}")]))?;
    }
    Ok(())
}

pub fn a_node_pulls_only_what_a_change_of_the_source_has_changed(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let log = shell::run(clone.git().args(["log", "--format=%s", "--", "k8s/deployment.yaml"]))?;
    let mut tags: Vec<String> = Vec::new();
    for tag in log.lines().filter_map(|line| line.strip_prefix("ci: update image to ")) {
        // Commits of the proofs' own images say so; the workflow's are one after the other.
        if !tag.contains(' ') && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    let [new, old, ..] = &tags[..] else {
        report.skipped("the workflow has built only one image so far; run it with the proofs of pushes");
        return Ok(());
    };
    let layers = |tag: &str| -> Result<Vec<(String, u64)>> {
        let manifest = the_loop.manifest(tag)?;
        let list = manifest["layers"].as_array().context("the manifest has no layers")?;
        Ok(list.iter().map(|layer| (layer["digest"].to_string(), layer["size"].as_u64().unwrap_or_default())).collect())
    };
    let known: BTreeSet<String> = layers(old)?.into_iter().map(|(digest, _)| digest).collect();
    let all = layers(new)?;
    let whole: u64 = all.iter().map(|(_, size)| size).sum();
    let fresh: u64 = all.iter().filter(|(digest, _)| !known.contains(digest)).map(|(_, size)| size).sum();
    report.measured(format!("{old} to {new}: a node pulls {} of {} kB", fresh / 1000, whole / 1000));
    ensure("something is new, and less than a fifth of it", fresh > 0 && fresh * 5 < whole, fresh)?;
    report.control(format!("a node without any of it pulls {} kB, which the check would refuse", whole / 1000));
    Ok(())
}

pub fn the_image_runs_without_root_on_a_read_only_root(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let exec = |script: &str| -> Result<std::process::Output> {
        let arguments = ["exec", "deployment/argo-rust", "--namespace", NAMESPACE, "--", "sh", "-c", script];
        the_loop.kubectl().args(arguments).output().context("cannot run kubectl")
    };
    let said = |output: &std::process::Output| {
        (String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)).trim().to_owned()
    };
    let who = exec("id -u; id -g; grep CapEff /proc/1/status; grep NoNewPrivs /proc/1/status")?;
    expect(
        "user, group, capabilities, no new privileges",
        said(&who).split_whitespace().collect::<Vec<_>>(),
        vec!["65532", "65532", "CapEff:", "0000000000000000", "NoNewPrivs:", "1"],
    )?;
    let write = exec("touch /app/written")?;
    ensure("a write to the root is refused", said(&write).contains("Read-only file system"), said(&write))?;
    report
        .measured("user and group 65532, no capability, no new privileges, the root read-only, admitted as restricted");

    let image = the_loop.deployment()?["spec"]["template"]["spec"]["containers"][0]["image"].take();
    let pod = |name: &str, security: Value| {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"containers": [{"name": "argo-rust", "image": image, "securityContext": security}]},
        })
    };
    let as_root = pod("root", json!({"runAsUser": 0}));
    let refused = shell::run_with_input(the_loop.kubectl().args(["create", "--filename=-"]), &as_root.to_string());
    match refused {
        Err(error) if error.to_string().contains("violates PodSecurity \"restricted") => {}
        Err(error) => bail!("expected: refused by Pod Security\nseen: {error:#}"),
        Ok(_) => {
            the_loop.ask(&["delete", "pod", "root", "--namespace", NAMESPACE])?;
            bail!("expected: refused by Pod Security\nseen: a pod of root was made");
        }
    }
    let restricted = json!({
        "runAsNonRoot": true,
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    let create = ["create", "--dry-run=server", "--filename=-"];
    shell::run_with_input(the_loop.kubectl().args(create), &pod("not-root", restricted).to_string())?;
    report.control("a pod of root is refused by Pod Security; the same pod without root is admitted");
    Ok(())
}
