//! The board on its own: as README has it typed, and with the account that it prints for a cluster of somebody's.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::report::{Report, ensure, expect};
use e2e::wait::{self, seconds};
use e2e::{GIT, Loop, NAMESPACE, shell};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
const DONE: i32 = 0;

/// Where it is when nobody says where.
const TYPED: &str = "http://127.0.0.1:7070";

pub fn the_board_runs_as_it_is_typed_and_with_the_account_that_it_prints(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let mut typed = the_loop.loopctl();
    typed.arg("board");
    let typed = Running::begin(typed)?;
    let (live, took) = typed.shows_a_live_commit()?;
    typed.end()?;
    report.measured(format!("`cargo loopctl board`, {} after its start: {live}", seconds(took)));

    let printed = the_loop.companion(&["board", "--manifests", "registry.example/loopctl:1"])?.ended(DONE)?.out;
    // All but the Deployment, whose image is nobody's here.
    let documents: Vec<&str> = printed.split("\n---\n").filter(|text| !text.contains("kind: Deployment")).collect();
    ensure("an account, its rights, and a Service", documents.len() == 6, documents.len())?;
    let folder = TempDir::with_prefix("argo-rust-e2e-board-")?;
    let manifests = folder.path().join("manifests.yaml");
    std::fs::write(&manifests, documents.join("\n---\n"))?;
    let manifests = manifests.display().to_string();
    the_loop.ask(&["apply", "--filename", &manifests])?;
    let outcome = with_its_rights(the_loop, &folder, report);
    let gone = the_loop.ask(&["delete", "--ignore-not-found", "--filename", &manifests]);
    outcome.and(gone.map(drop))
}

fn with_its_rights(the_loop: &Loop, folder: &TempDir, report: &mut Report) -> Result<()> {
    let may = |verb: &str, what: &str| {
        let account = format!("system:serviceaccount:{NAMESPACE}:board");
        the_loop.ask(&["auth", "can-i", verb, what, "--namespace", NAMESPACE, "--as", &account]).is_ok()
    };
    expect(
        "it may read pods, but no Secret, and write nothing",
        (may("get", "pods"), may("get", "secrets"), may("patch", "deployments")),
        (true, false, false),
    )?;
    let token = the_loop.ask(&["create", "token", "board", "--namespace", NAMESPACE])?;
    let kubeconfig = the_loop.ask(&["config", "view", "--raw", "--minify", "--output", "json"])?;
    let mut kubeconfig: Value = serde_json::from_str(&kubeconfig)?;
    kubeconfig["users"][0]["user"] = serde_json::json!({"token": token.trim()});
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, kubeconfig.to_string())?;
    let clones = folder.path().join("clones");
    std::fs::create_dir(&clones)?;
    let begin = || {
        let mut board = the_loop.loopctl();
        board.args(["board", "--clone", GIT]).env("KUBECONFIG", &path).env("TMPDIR", &clones);
        Running::begin(board)
    };
    let board = begin()?;
    let (live, took) = board.shows_a_live_commit()?;
    let left = || -> Result<usize> { Ok(std::fs::read_dir(&clones)?.count()) };
    expect("clones while it runs", left()?, 1)?;
    board.end()?;
    expect("clones after SIGTERM", left()?, 0)?;
    report.measured(format!("with the rights that are printed, {} after its start: {live}", seconds(took)));

    the_loop.ask(&["delete", "rolebinding", &format!("{NAMESPACE}-board"), "--namespace", "argocd"])?;
    let board = begin()?;
    let unasked = "Argo CD</strong> could not be asked";
    wait::until("a word about Argo CD", SOON, || {
        let page = get("/")?;
        ensure(unasked, page.contains(unasked), page)
    })?;
    board.end()?;
    report.control("without its rights in the namespace argocd the page says that Argo CD could not be asked");
    Ok(())
}

fn get(path: &str) -> Result<String> {
    shell::run(Command::new("curl").args(["--silent", "--noproxy", "*", &format!("{TYPED}{path}")]))
}

struct Running(Child);

impl Running {
    fn begin(mut board: Command) -> Result<Self> {
        Ok(Self(board.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot run the board")?))
    }

    fn shows_a_live_commit(&self) -> Result<(String, Duration)> {
        wait::until("a commit that is live", SOON, || {
            let commits: Value = serde_json::from_str(&get("/api/commits")?)?;
            let live = commits.as_array().into_iter().flatten().find(|commit| commit["state"] == "live");
            Ok(live.context("none is live")?["summary"].as_str().unwrap_or_default().to_owned())
        })
    }

    fn end(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let ended = self.0.wait()?;
        ensure("SIGTERM ends it well", ended.success(), ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
