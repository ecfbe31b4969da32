//! Brings the loop up, lets one proof after the other use it, and takes it down again.

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use e2e::machine::Machine;
use e2e::report::Report;
use e2e::{Loop, shell};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::Proof;
use crate::lifecycle;
use crate::table::{self, Row, Verdict};

type Rows = Arc<Mutex<Vec<Row>>>;

pub fn run(proofs: &'static [Proof]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let rows: Rows = Arc::default();
    let trials: Vec<Trial> = proofs.iter().map(|proof| trial(proof, &rows)).collect();
    if arguments.list || trials.iter().all(|trial| arguments.is_filtered_out(trial)) {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let ours = match bring_up() {
        Ok(ours) => ours,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut rows = rows.lock().map(|rows| rows.clone()).unwrap_or_default();
    let down = match ours {
        Some(before) => leave(&before, &mut rows),
        None => Ok(()),
    };
    if let Err(error) = &down {
        eprintln!("{error:#}");
    }
    println!("{}", table::of(&rows));
    let count = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    println!(
        "{} passed, {} failed, {} skipped",
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Skipped)
    );
    if conclusion.has_failed() || down.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn trial(proof: &'static Proof, rows: &Rows) -> Trial {
    let rows = Arc::clone(rows);
    Trial::ignorable_test(proof.name, move || {
        println!();
        let mut report = Report::default();
        let begin = Instant::now();
        let outcome = Loop::find().and_then(|the_loop| (proof.run)(&the_loop, &mut report));
        let took = begin.elapsed();
        table::note(proof.name, took);
        let verdict = match &outcome {
            Err(_) => Verdict::Failed,
            // Whoever has measured nothing has proven nothing.
            Ok(()) if report.measured.is_empty() => Verdict::Skipped,
            Ok(()) => Verdict::Passed,
        };
        let skipped = report.skipped.join("; ");
        if let Ok(mut rows) = rows.lock() {
            rows.push(Row { name: proof.name, verdict, took, report });
        }
        match (outcome, verdict) {
            (Err(error), _) => Err(failed(proof.name, &error)),
            (Ok(()), Verdict::Skipped) => Ok(Completion::ignored_with(skipped)),
            (Ok(()), _) => Ok(Completion::Completed),
        }
    })
}

fn failed(name: &str, error: &anyhow::Error) -> Failed {
    let the_loop = Loop::place();
    let logs = the_loop.state.join("logs");
    // The loop may be gone before anybody reads this, so what it says about itself is kept here.
    let status = the_loop.loopctl().arg("status").output().map(|output| output.stdout).unwrap_or_default();
    let kept = env::temp_dir().join("argo-rust-e2e-logs");
    let copied = shell::run(std::process::Command::new("cp").arg("-rT").arg(&logs).arg(&kept));
    let place = if copied.is_ok() { kept } else { logs };
    format!(
        "{name}\n{error:#}\n\nthe parts' logs: {}\nthe loop's state then:\n{}",
        place.display(),
        String::from_utf8_lossy(&status)
    )
    .into()
}

/// The machine as it was before this run's own loop came up. One that is up already, as while a proof is being written, is used and
/// left up.
fn bring_up() -> Result<Option<Machine>> {
    let the_loop = Loop::place();
    if the_loop.state.join("kubeconfig").exists() {
        let status = the_loop.loopctl().arg("status").output().context("cannot run loopctl")?;
        if !status.status.success() {
            bail!(
                "{}a loop is on this machine but not ready: finish it with `cargo loopctl up`, or end it with `cargo loopctl down`",
                String::from_utf8_lossy(&status.stdout)
            );
        }
        println!("The loop that is up already is used, and left up.");
        return Ok(None);
    }
    let (before, begin) = (Machine::now(), Instant::now());
    take_down_when_interrupted()?;
    let mut up = the_loop.loopctl();
    up.arg("up");
    if env::var_os("E2E_INSTALL").is_some() {
        up.arg("--install");
    }
    if !up.status().context("cannot run loopctl")?.success() {
        take_down()?;
        bail!("`loopctl up` failed, so nothing could be proven; what it said is above");
    }
    table::note("up", begin.elapsed());
    Ok(Some(before))
}

/// Takes the loop down, which is a proof of its own.
fn leave(before: &Machine, rows: &mut Vec<Row>) -> Result<()> {
    let during = Machine::now();
    let begin = Instant::now();
    let mut report = Report::default();
    let outcome =
        take_down().and_then(|()| lifecycle::down_leaves_the_machine_as_up_found_it(before, &during, &mut report));
    table::note("down", begin.elapsed());
    let verdict = if outcome.is_ok() { Verdict::Passed } else { Verdict::Failed };
    rows.push(Row { name: "down_leaves_the_machine_as_up_found_it", verdict, took: begin.elapsed(), report });
    outcome
}

fn take_down() -> Result<()> {
    if !Loop::place().loopctl().arg("down").status().context("cannot run loopctl")?.success() {
        bail!("`loopctl down` failed; type `cargo loopctl down` to see what is left");
    }
    Ok(())
}

/// Ctrl-C must not leave a cluster running.
fn take_down_when_interrupted() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            eprintln!("\nInterrupted: taking the loop down.");
            if let Err(error) = take_down() {
                eprintln!("{error:#}");
            }
            std::process::exit(130);
        });
    });
    Ok(())
}
