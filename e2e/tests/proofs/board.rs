//! The board in a real browser: a push that goes through all hops before somebody's eyes, a hold, a board that dies, and
//! readers without a script, without a mouse, or with a small window.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use e2e::browser::{Browser, ENTER, TAB};
use e2e::repetitions::RUNS_SEEN_ON_THE_BOARD;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{GIT, Loop, NAMESPACE, shell};
use serde_json::Value;
use tempfile::TempDir;

use crate::hops::tag_of;

/// Where `loopctl up` serves it.
const BOARD: &str = "http://10.187.0.1:7070";
const HOPS: [&str; 8] = ["pushed", "built", "image", "bump", "seen", "synced", "pods", "answering"];
const LIVE: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(20);
/// What a page may be later than `where`.
const LATER: Duration = Duration::from_secs(2);
const AXE: &str = "axe-core@4.13.0";
const VIEWERS: usize = 50;
const DONE: i32 = 0;
/// Of the one that `up` has started.
const PROCESS: &str = "loopctl-[^ ]* board --listen";
const COUNTED: Duration = Duration::from_secs(10);

/// Counts what the policy of the page refuses.
const WATCH: &str = "window.marker = 1; window.refused = []; document.addEventListener('securitypolicyviolation', \
                     (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI)); return true;";

pub fn a_push_goes_through_all_hops_before_the_eyes_of_whoever_looks(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let browser = Browser::open(true)?;
    browser.size(1280, 900)?;
    let begin = Instant::now();
    browser.goto(BOARD)?;
    let loaded = begin.elapsed();
    browser.ask(WATCH)?;
    report.measured(format!("the page of {} bytes was there after {}", browser.text()?.len(), seconds(loaded)));
    the_loop.on_a_clone(|clone, live| {
        goes_through_all_hops(the_loop, &browser, clone, live, report)?;
        a_hold_appears_and_goes(the_loop, &browser, clone, report)
    })?;
    the_board_dies_and_comes_back(&browser, report)?;
    expect("still the page that was opened", browser.ask("return window.marker")?, Value::from(1))?;
    expect("what the page's policy has refused", browser.ask("return window.refused")?, Value::Array(Vec::new()))?;
    for_everybody(&browser, report)?;
    drop(browser);
    without_a_script(report)?;
    viewers_cost_the_cluster_nothing(the_loop, report)
}

/// Few times the image is another one's, and the commits are made without a run: then all is as it is with one, but for
/// the time that a build takes, and what the service says that it is.
fn goes_through_all_hops(
    the_loop: &Loop,
    browser: &Browser,
    clone: &Clone,
    live: &str,
    report: &mut Report,
) -> Result<()> {
    let main = clone.read("src/main.rs")?;
    clone.write("src/main.rs", &format!("{main}// seen on the board\n"))?;
    let with_a_run = RUNS_SEEN_ON_THE_BOARD.times() > 0;
    let (commit, passed) = if with_a_run {
        (clone.push("Be seen on the board")?, HOPS.len())
    } else {
        let commit = clone.push_without_run("Be seen on the board")?;
        the_loop.variant(live, &tag_of(&commit), "--label=e2e=board")?;
        clone.bump(&tag_of(&commit))?;
        (commit, HOPS.len() - 1)
    };
    let begin = Instant::now();
    let by_where = std::thread::spawn({
        let commit = commit.clone();
        move || {
            let the_loop = Loop::find()?;
            passed_when(passed, begin, || {
                let answer = the_loop.companion(&["where", &commit, "-o", "json"])?.json()?;
                Ok((0..passed).map(|at| answer["hops"][at]["state"] == "done").collect())
            })
        }
    });
    let by_page = passed_when(passed, begin, || {
        let cells = cells(browser, &commit)?;
        Ok((0..passed).map(|at| cells.get(at).is_some_and(|text| text.contains("done"))).collect())
    })?;
    let by_where = by_where.join().map_err(|_| anyhow!("the thread that asks where panicked"))??;
    let mut worst = Duration::ZERO;
    for (at, hop) in HOPS.iter().enumerate().take(passed) {
        let later = by_page[at].saturating_sub(by_where[at]);
        ensure(&format!("{hop} on the page within {} of where", seconds(LATER)), later <= LATER, seconds(later))?;
        worst = worst.max(later);
    }
    report.measured(format!(
        "a push passed {passed} hops without a reload, each at most {} after `where`, all after {}",
        seconds(worst),
        seconds(by_page.iter().max().copied().unwrap_or_default())
    ));
    Ok(())
}

/// How long after `begin` each of so many hops was seen to be done.
fn passed_when(hops: usize, begin: Instant, look: impl Fn() -> Result<Vec<bool>>) -> Result<Vec<Duration>> {
    let mut seen: Vec<Option<Duration>> = vec![None; hops];
    while seen.iter().any(Option::is_none) {
        let done = look()?;
        for (when, is_done) in seen.iter_mut().zip(&done) {
            *when = when.or(is_done.then(|| begin.elapsed()));
        }
        ensure("all hops are passed", begin.elapsed() < LIVE, format!("{done:?}"))?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(seen.into_iter().flatten().collect())
}

/// Of the row of a commit, in the order of the hops; nothing where it has none yet.
fn cells(browser: &Browser, commit: &str) -> Result<Vec<String>> {
    let script = format!(
        "const row = document.getElementById('row-argo-rust-{}'); return row ? [...row.rows[0].querySelectorAll('td')].map((cell) => cell.textContent) : []",
        &commit[..7]
    );
    let cells = browser.ask(&script)?;
    Ok(cells.as_array().into_iter().flatten().filter_map(|cell| cell.as_str().map(str::to_owned)).collect())
}

fn a_hold_appears_and_goes(the_loop: &Loop, browser: &Browser, clone: &Clone, report: &mut Report) -> Result<()> {
    let hold = "return document.querySelector('.hold')?.textContent || ''";
    expect("a hold before there is one", browser.ask(hold)?, Value::from(""))?;
    clone.update()?;
    let before = clone.read("k8s/deployment.yaml")?;
    the_loop.companion(&["rollback", "--reason", "Proving the board", "--yes"])?.ended(DONE)?;
    let (said, appeared) = wait::until("the hold on the page", SOON, || {
        let said = browser.ask(hold)?.as_str().unwrap_or_default().to_owned();
        ensure("its reason", said.contains("Proving the board") && said.contains("cargo loopctl resume"), &said)?;
        Ok(said)
    })?;
    clone.update()?;
    clone.write("k8s/deployment.yaml", &before)?;
    clone.push_without_run("Take the hold back by hand")?;
    let (_, gone) = wait::until("no hold on the page", SOON, || expect("a hold", browser.ask(hold)?, Value::from("")))?;
    report.measured(format!(
        "a hold stood on the page {} after its push and was gone after {}: {said:.120}",
        seconds(appeared),
        seconds(gone)
    ));
    Ok(())
}

fn the_board_dies_and_comes_back(browser: &Browser, report: &mut Report) -> Result<()> {
    let banner = "return document.getElementById('connection').textContent";
    let rows = "return document.querySelectorAll('table[id^=rows] tbody').length";
    let before = browser.ask(rows)?;
    ensure("rows", before.as_u64().unwrap_or_default() > 3, &before)?;
    shell::run(Command::new("pkill").args(["-KILL", "--full", PROCESS]))?;
    let (_, told) = wait::until("a word about it", SOON, || {
        let said = browser.ask(banner)?.as_str().unwrap_or_default().to_owned();
        ensure("the banner", said.contains("does not answer"), said)
    })?;
    let (_, back) = wait::until("the board is back", SOON, || {
        let said = browser.ask(banner)?.as_str().unwrap_or_default().to_owned();
        ensure("the banner goes", said.contains("Up to date"), said)
    })?;
    wait::until("all its rows", SOON, || expect("rows", browser.ask(rows)?, before.clone()))?;
    report.control(format!(
        "killed, the board was said to be away after {} and was back {} later",
        seconds(told),
        seconds(back)
    ));
    Ok(())
}

fn for_everybody(browser: &Browser, report: &mut Report) -> Result<()> {
    // By keyboard alone: the next thing that can be opened, and the key that opens it.
    browser.goto(BOARD)?;
    let focused = "const at = document.activeElement; return at ? at.tagName : ''";
    let mut presses = 0;
    while browser.ask(focused)? != "SUMMARY" {
        presses += 1;
        ensure("a row is reached by tabulators", presses < 20, presses)?;
        browser.press(TAB)?;
    }
    browser.press(ENTER)?;
    expect("an open row", browser.ask("return document.activeElement.parentElement.open")?, Value::from(true))?;

    let axe = axe()?;
    for (scheme, width) in [("light", 1280), ("dark", 320)] {
        browser.size(width, 800)?;
        let _ = browser.ask(&format!("document.documentElement.style.colorScheme = '{scheme}'; return true"))?;
        let found = browser.wait_for(&format!(
            "{axe}; const done = arguments[arguments.length - 1]; axe.run().then((found) => done(found.violations.map((each) => each.id + ': ' + each.nodes.map((node) => node.target).join(' '))));"
        ))?;
        expect(&format!("what axe-core finds at {width} px"), found, Value::Array(Vec::new()))?;
    }
    let width = browser.ask("return document.documentElement.scrollWidth")?;
    ensure("the page itself does not scroll sideways", width.as_u64().is_some_and(|width| width <= 512), width)?;
    report.measured(format!("opened by {presses} tabulators and a key; axe-core found nothing, wide or narrow"));
    if let Some(folder) = std::env::var_os("E2E_PICTURES") {
        browser.size(1280, 900)?;
        browser.goto(BOARD)?;
        std::thread::sleep(Duration::from_secs(1));
        browser.picture(&std::path::Path::new(&folder).join("board.png"))?;
    }
    Ok(())
}

/// Its source, from npm.
fn axe() -> Result<String> {
    let folder = TempDir::with_prefix("argo-rust-e2e-axe-")?;
    shell::run(Command::new("npm").current_dir(folder.path()).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        AXE,
    ]))?;
    std::fs::read_to_string(folder.path().join("node_modules/axe-core/axe.min.js"))
        .context("axe-core has no axe.min.js")
}

fn without_a_script(report: &mut Report) -> Result<()> {
    let browser = Browser::open(false)?;
    browser.goto(BOARD)?;
    let text = browser.text()?;
    for word in ["Live: ", "Deploys", "answering", "row-argo-rust-"] {
        ensure(&format!("{word} without a script"), text.contains(word), "it is missing")?;
    }
    ensure("it is loaded again by itself", text.contains("http-equiv=\"refresh\""), "it is not")?;
    report.measured("without a script the page had all rows and deploys");
    Ok(())
}

/// One program looks for all of them.
fn viewers_cost_the_cluster_nothing(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let one = Viewers::of(1)?;
    let asked_by_one = asked(the_loop)?;
    drop(one);
    let _viewers = Viewers::of(VIEWERS)?;
    let asked_by_all = asked(the_loop)?;
    if let (Some(one), Some(all)) = (asked_by_one, asked_by_all) {
        let said = format!("{one} requests with one viewer, {all} with {VIEWERS}, of all that ask the API server");
        ensure("no more requests", all <= one + one / 2 + 20, &said)?;
        report.measured(format!("in {} s: {said}", COUNTED.as_secs()));
    }
    let process = shell::run(Command::new("pgrep").args(["--full", "--newest", PROCESS]))?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.trim()))?;
    let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default().trim().to_owned();
    let page =
        ["--silent", "--noproxy", "*", "--write-out", "%{time_total} %{size_download}", "--output", "/dev/null", BOARD];
    let answers = shell::run(Command::new("curl").args(page))?;
    report.measured(format!("with {VIEWERS} viewers {own} of its own memory; the page (seconds, bytes): {answers}"));
    Ok(())
}

struct Viewers(Vec<Child>);

impl Viewers {
    fn of(count: usize) -> Result<Self> {
        let mut viewers = Self(Vec::new());
        for _ in 0..count {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--no-buffer", "--noproxy", "*", "--output", "/dev/null"]);
            viewers.0.push(curl.arg(format!("{BOARD}/api/events")).spawn().context("cannot run curl")?);
        }
        std::thread::sleep(Duration::from_secs(1));
        Ok(viewers)
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        for viewer in &mut self.0 {
            drop(viewer.kill());
            drop(viewer.wait());
        }
    }
}

/// How many requests the API server gets meanwhile; where there are few repetitions, nobody waits for that.
fn asked(the_loop: &Loop) -> Result<Option<u64>> {
    if RUNS_SEEN_ON_THE_BOARD.times() == 0 {
        return Ok(None);
    }
    let count = || -> Result<u64> {
        let metrics = the_loop.ask(&["get", "--raw", "/metrics"])?;
        let lines = metrics.lines().filter(|line| line.starts_with("apiserver_request_total{"));
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(values.map(|value| value as u64).sum())
    };
    let before = count()?;
    std::thread::sleep(COUNTED);
    Ok(Some(count()? - before))
}

/// In a cluster of somebody's the board has an account of its own, and this is all that it may.
pub fn the_account_that_is_printed_for_the_board_is_enough_for_it(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let printed = the_loop.companion(&["board", "--manifests", "registry.example/loopctl:1"])?.ended(DONE)?.out;
    // All but the Deployment, whose image is nobody's here.
    let documents: Vec<&str> = printed.split("\n---\n").filter(|text| !text.contains("kind: Deployment")).collect();
    ensure("an account, its rights, and a Service", documents.len() == 6, documents.len())?;
    let file = TempDir::with_prefix("argo-rust-e2e-board-")?;
    let manifests = file.path().join("manifests.yaml");
    std::fs::write(&manifests, documents.join("\n---\n"))?;
    let manifests = manifests.display().to_string();
    the_loop.ask(&["apply", "--filename", &manifests])?;
    let outcome = (|| {
        let token = the_loop.ask(&["create", "token", "board", "--namespace", NAMESPACE])?;
        let mut kubeconfig = the_loop.ask(&["config", "view", "--raw", "--minify", "--output", "json"])?;
        let mut whole: Value = serde_json::from_str(&kubeconfig)?;
        whole["users"][0]["user"] = serde_json::json!({"token": token.trim()});
        kubeconfig = whole.to_string();
        std::fs::write(file.path().join("kubeconfig"), kubeconfig)?;
        let may = |verb: &str, what: &str| {
            let account = format!("system:serviceaccount:{NAMESPACE}:board");
            the_loop.ask(&["auth", "can-i", verb, what, "--namespace", NAMESPACE, "--as", &account]).is_ok()
        };
        expect(
            "it may read pods, but no Secret, and write nothing",
            (may("get", "pods"), may("get", "secrets"), may("patch", "deployments")),
            (true, false, false),
        )?;
        let mut board = the_loop.loopctl();
        board
            .args(["board", "--listen", "127.0.0.1:7171", "--clone", GIT])
            .env("KUBECONFIG", file.path().join("kubeconfig"));
        let board = Running(board.stdout(Stdio::null()).spawn().context("cannot run the board")?);
        let (live, took) = wait::until("a commit that is live, seen with these rights", SOON, || {
            let said = shell::run(Command::new("curl").args([
                "--silent",
                "--noproxy",
                "*",
                "http://127.0.0.1:7171/api/commits",
            ]))?;
            let commits: Value = serde_json::from_str(&said)?;
            let live = commits.as_array().into_iter().flatten().find(|commit| commit["state"] == "live");
            Ok(live.context("none is live")?["summary"].as_str().unwrap_or_default().to_owned())
        })?;
        drop(board);
        report.measured(format!("with the rights that are printed, {} after its start: {live}", seconds(took)));
        Ok(())
    })();
    let gone = the_loop.ask(&["delete", "--ignore-not-found", "--filename", &manifests]);
    outcome.and(gone.map(drop))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
