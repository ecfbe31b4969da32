//! What `loopctl doctor` finds: ten planted faults, one at a time, and nothing where there is none.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::faults::{Before, FAULTS, Fault, Mend};
use e2e::report::{Report, ensure, expect};
use e2e::wait::{self, seconds};
use e2e::{Loop, shell};
use serde_json::Value;

const FINDINGS: i32 = 7;
/// Argo CD heals what it owns as soon as it may.
const HEAL: Duration = Duration::from_secs(60);

/// What it found: a sentence, and the command that it names.
pub type Finding = (String, String);

fn findings(the_loop: &Loop) -> Result<Vec<Finding>> {
    let (code, found) = asked(the_loop)?;
    expect("the exit code", code, if found.is_empty() { 0 } else { FINDINGS })?;
    Ok(found)
}

/// With the exit code.
pub fn asked(the_loop: &Loop) -> Result<(i32, Vec<Finding>)> {
    let said = the_loop.companion(&["doctor", "--no-plan", "-o", "json"])?;
    let report = said.json()?;
    let checks = report["checks"].as_array().context("doctor lists its checks")?;
    let all = checks.iter().filter_map(|check| check["findings"].as_array()).flatten();
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let found: Vec<Finding> = all.map(|finding| (text(finding, "what"), text(finding, "mend"))).collect();
    Ok((said.code, found))
}

pub fn doctor_finds_each_of_ten_planted_faults_and_none_on_a_healthy_loop(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let begin = Instant::now();
    let before = Before::of(the_loop)?;
    expect("findings on a healthy loop", findings(the_loop)?, Vec::new())?;
    let mut by_their_own_command = 0;
    for fault in &FAULTS {
        let found = find_and_mend(the_loop, fault, &before);
        if found.is_err() {
            before.restore(the_loop).context("while putting the loop right")?;
        }
        report.measured(found?);
        by_their_own_command += usize::from(matches!(fault.mend, Mend::AsPrinted));
    }
    report.measured(format!(
        "{} faults in {}; {by_their_own_command} were mended by the command that was printed with them",
        FAULTS.len(),
        seconds(begin.elapsed())
    ));
    report.control("before the first fault, and after each was mended, doctor found nothing and ended with 0");
    let image = the_loop.deployment()?["spec"]["template"]["spec"]["containers"][0]["image"].take();
    let tag = image.as_str().and_then(|image| image.rsplit(':').next()).unwrap_or_default().to_owned();
    the_loop.wait_rolled_out(&tag)?;
    Ok(())
}

/// What doctor said about it.
fn find_and_mend(the_loop: &Loop, fault: &Fault, before: &Before) -> Result<String> {
    (fault.plant)(the_loop)?;
    let (what, printed) = the_one(&findings(the_loop)?, fault.said)?;
    match fault.mend {
        Mend::AsPrinted => as_printed(the_loop, &printed)?,
        Mend::By(mend) => mend(the_loop, before)?,
    }
    wait::until("doctor finds nothing any more", HEAL, || {
        let left = findings(the_loop)?;
        ensure("no finding", left.is_empty(), format!("{left:?}"))
    })?;
    Ok(what)
}

pub fn the_one(found: &[Finding], said: &str) -> Result<Finding> {
    match found.iter().find(|(what, _)| what.contains(said)) {
        Some(finding) => Ok(finding.clone()),
        None => bail!("expected: doctor says {said:?}\nseen: {found:#?}"),
    }
}

/// Types what was printed, with the loop's kubectl and kubeconfig.
pub fn as_printed(the_loop: &Loop, command: &str) -> Result<()> {
    let is_known = ["kubectl ", "sed ", "cargo loopctl "].iter().any(|program| command.starts_with(program));
    ensure("a command of kubectl, or of this repository", is_known, command)?;
    let programs = the_loop.state.join("bin").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.current_dir(&the_loop.checkout).args(["-c", command]).env("PATH", format!("{programs}:{path}"));
    shell::run(shell.env("KUBECONFIG", the_loop.state.join("kubeconfig")))?;
    Ok(())
}
