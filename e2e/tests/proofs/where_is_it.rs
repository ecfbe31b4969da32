//! What loopctl says of a commit, while the loop does well and while it does not.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::application::SYNC;
use e2e::report::{Report, ensure, expect, median_and_worst};
use e2e::repository::Clone;
use e2e::wait::seconds;
use e2e::{Loop, shell};
use serde_json::Value;

use crate::hops::tag_of;

/// The exit codes of `loopctl wait`, as docs/loopctl.md has them.
const LIVE: i32 = 0;
const FAILED: i32 = 1;
const SUPERSEDED: i32 = 3;
const TIMED_OUT: i32 = 5;

/// What one call of loopctl came to.
struct Said {
    code: i32,
    answer: Value,
    took: Duration,
}

fn ask(the_loop: &Loop, arguments: &[&str]) -> Result<Said> {
    ask_by(the_loop, the_loop.loopctl(), arguments)
}

fn ask_by(the_loop: &Loop, loopctl: Command, arguments: &[&str]) -> Result<Said> {
    let begin = Instant::now();
    let said = the_loop.said(loopctl, &[arguments, &["--output", "json"]].concat())?;
    Ok(Said { code: said.code, answer: said.json()?, took: begin.elapsed() })
}

impl Said {
    fn state(&self) -> &str {
        self.answer["state"].as_str().unwrap_or_default()
    }

    fn hop(&self, name: &str) -> Value {
        let hops = self.answer["hops"].as_array().into_iter().flatten();
        hops.into_iter().find(|hop| hop["hop"] == name).cloned().unwrap_or_default()
    }
}

/// A change of an input of the image; GitHub would start a run for it unless told not to.
fn change(clone: &Clone, remark: &str) -> Result<()> {
    clone.update()?;
    let main = clone.read("src/main.rs")?;
    clone.write("src/main.rs", &format!("{main}// {remark}\n"))
}

/// The commit and its bump, both made without a run; what the tag leads to is up to the caller.
fn bumped(the_loop: &Loop, clone: &Clone, remark: &str, image: impl FnOnce(&str) -> Result<()>) -> Result<String> {
    change(clone, remark)?;
    let source = clone.push_without_run(remark)?;
    image(&tag_of(&source))?;
    let bump = clone.bump(&tag_of(&source))?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&bump, SYNC)?;
    Ok(source)
}

pub fn where_and_wait_tell_a_good_a_superseded_a_stuck_and_a_failed_deploy(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        // Good: the workflow itself has built what is live.
        let good = shell::run(clone.git().args(["rev-parse", live.trim_start_matches("sha-")]))?.trim().to_owned();
        let waited = ask(the_loop, &["wait", &good, "--timeout", "30s"])?;
        expect("the exit code of a good deploy", (waited.code, waited.state()), (LIVE, "live"))?;
        report.measured(format!("good: {}", waited.answer["summary"]));
        let (mut starts, mut times) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let begin = Instant::now();
            the_loop.said(the_loop.loopctl_as_typed(), &["--version"])?.ended(LIVE)?;
            starts.push(begin.elapsed().as_secs_f64());
            let said = ask_by(the_loop, the_loop.loopctl_as_typed(), &["where", &good])?;
            expect("where, once it is live", said.state(), "live")?;
            times.push(said.took.as_secs_f64());
        }
        let ((start, _), (median, worst)) = (median_and_worst(&starts), median_and_worst(&times));
        report.measured(format!(
            "where answers after {median:.2} s in the median, {worst:.2} s at worst, of which {start:.2} s are cargo's"
        ));
        ensure("where itself answers within a second", median - start < 1.0, format!("{times:?}"))?;
        let verified = ask(the_loop, &["verify"])?;
        expect("verify's exit code on a good deploy", verified.code, LIVE)?;

        let newer = bumped(the_loop, clone, "where: newer", |tag| the_loop.variant(live, tag, "--label=e2e=newer"))?;
        let old = ask(the_loop, &["wait", &good, "--timeout", "30s"])?;
        expect("the exit code of a superseded deploy", (old.code, old.state()), (SUPERSEDED, "superseded"))?;
        expect("by which commit", old.answer["superseded_by"]["commit"].as_str(), Some(newer.as_str()))?;
        report.measured(format!("superseded: {}", old.answer["summary"]));

        let stuck = bumped(the_loop, clone, "where: no image", |_| Ok(()))?;
        let said = ask(the_loop, &["wait", &stuck, "--timeout", "30s"])?;
        expect("the exit code of a stuck deploy", (said.code, said.state()), (TIMED_OUT, "stuck"))?;
        let reason = said.hop("pods")["reason"].to_string();
        ensure("the kubelet's own reason", reason.contains("Pull") && reason.contains("not found"), &reason)?;
        report.measured(format!("an image that is not there: stuck, {reason}"));
        let verified = ask(the_loop, &["verify"])?;
        report.control(format!("with it, verify ended with {}", verified.code));
        expect("verify's exit code on a stuck deploy", verified.code, FAILED)?;

        let crashing = |tag: &str| the_loop.variant(live, tag, "--env=ARGO_RUST_LISTEN=nowhere");
        let failed = bumped(the_loop, clone, "where: crash", crashing)?;
        let said = ask(the_loop, &["wait", &failed, "--timeout", "4m"])?;
        expect("the exit code of a failed deploy", (said.code, said.state()), (FAILED, "failed"))?;
        let reason = said.hop("pods")["reason"].to_string();
        ensure("the crashed program's own words", reason.contains("ARGO_RUST_LISTEN"), &reason)?;
        report.measured(format!("a crash: failed after {}, {reason}", seconds(said.took)));
        Ok(())
    })
}
