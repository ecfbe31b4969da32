//! Many viewers at once.

use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::repetitions::RUNS_SEEN_ON_THE_BOARD;
use e2e::report::{Report, ensure};
use e2e::{Loop, shell};

use super::{BOARD, PROCESS};

const VIEWERS: usize = 50;
const COUNTED: Duration = Duration::from_secs(10);

/// One program looks for all of them.
pub fn cost_the_cluster_nothing(the_loop: &Loop, report: &mut Report) -> Result<()> {
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
