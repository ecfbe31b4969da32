//! The board in a real browser: a push that goes through all hops before somebody's eyes, a hold, a board that dies.

mod readers;
mod viewers;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use e2e::browser::Browser;
use e2e::repetitions::RUNS_SEEN_ON_THE_BOARD;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{Loop, shell};
use serde_json::Value;

use crate::hops::tag_of;

/// Where `loopctl up` serves it.
const BOARD: &str = "http://10.187.0.1:7070";
const HOPS: [&str; 8] = ["pushed", "built", "image", "bump", "seen", "synced", "pods", "answering"];
const LIVE: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(20);
/// What a page may be later than `where`.
const LATER: Duration = Duration::from_secs(2);
const DONE: i32 = 0;
/// Of the one that `up` has started.
const PROCESS: &str = "loopctl-[^ ]* board --listen";

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
    readers::without_a_mouse_or_in_a_small_window(&browser, report)?;
    drop(browser);
    readers::without_a_script(report)?;
    viewers::cost_the_cluster_nothing(the_loop, report)
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
