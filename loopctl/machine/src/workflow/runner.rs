//! Runs the workflow once: act, with the stand-ins, in an environment made from scratch.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::file::Workflow;
use super::log::Log;
use super::runs::{Conclusion, Outcome, Request, Run};
use super::{actions, build_cache, tokens, tools};
use crate::private::write_private;
use crate::repository::{self, Repository};
use crate::{Place, cgroups};

/// What GitHub gives a job that names no limit.
const LONGEST_MINUTES: f64 = 360.0;

/// What the hidden command `run-workflow` does; the git server starts it, once a run.
pub fn run(place: &Place, number: u64) -> Result<ExitCode> {
    let run = Run::of(place, number);
    let _held = run.hold()?;
    cgroups::enter(&run.control_group())?;
    // GitHub builds on machines of its own: here the service and its cluster come first.
    rustix::process::nice(10).context("cannot lower the priority of the run")?;
    let begin = Instant::now();
    let mut log = Log::create(&run)?;
    let (conclusion, reason) = match perform(place, &run, &mut log) {
        Ok(conclusion) => (conclusion, None),
        Err(error) => {
            let reason = format!("{error:#}");
            log.note(&reason)?;
            (Conclusion::Failure, Some(reason))
        }
    };
    let outcome = Outcome { conclusion, reason, seconds: begin.elapsed().as_secs_f64(), steps: log.steps() };
    run.close(place, &outcome)?;
    Ok(if conclusion == Conclusion::Success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn perform(place: &Place, run: &Run, log: &mut Log) -> Result<Conclusion> {
    let request = run.request()?.context("nobody called for this run")?;
    let file = run.folder.join("workflow.yml");
    let workflow = Workflow::read(&fs::read_to_string(&file).context("the run has no workflow file")?)?;
    let mappings = actions::mappings(place, &workflow)?;
    let mut act = act(place, run, &request)?;
    for label in workflow.runners() {
        act.arg("--platform").arg(format!("{label}=-self-hosted"));
    }
    for mapping in mappings {
        act.arg("--local-repository").arg(mapping);
    }

    let commit = &request.push.after;
    build_cache::lend(place, run, commit)?;
    let mut act = act.spawn().context("cannot run act")?;
    let (lines, written) = channel();
    forward(act.stdout.take().context("act's output was asked for")?, lines.clone());
    forward(act.stderr.take().context("act's output was asked for")?, lines);
    let limit = |job: &str| {
        let job = job.split(' ').next().unwrap_or(job);
        let minutes = workflow.jobs.get(job).and_then(|job| job.timeout_minutes).unwrap_or(LONGEST_MINUTES);
        Duration::from_secs_f64(minutes * 60.0)
    };
    loop {
        match written.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => log.take(&line)?,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(job) = log.overdue(limit) {
            let reason = format!("job {job} took longer than its timeout-minutes allows ({:?})", limit(job));
            cgroups::kill(&format!("parts/{}", run.control_group()))?;
            act.wait()?;
            bail!(reason);
        }
    }
    if !act.wait()?.success() {
        return Ok(Conclusion::Failure);
    }
    build_cache::keep(place, run, commit)?;
    Ok(Conclusion::Success)
}

fn act(place: &Place, run: &Run, request: &Request) -> Result<Command> {
    let work = run.work();
    let empty = work.join("empty");
    fs::create_dir_all(&empty).with_context(|| format!("cannot make {}", empty.display()))?;
    let event = work.join("event.json");
    write_private(&event, &event_of(request, place.repository()?).to_string())?;
    let secrets = work.join("secrets");
    write_private(&secrets, &format!("GITHUB_TOKEN={}\n", tokens::give(place, run)?))?;

    let mut act = Command::new(tools::act(place)?);
    act.env_clear()
        .envs(tools::environment(place, run)?)
        .current_dir(&empty)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    act.arg("push").arg("--workflows").arg(run.folder.join("workflow.yml"));
    act.arg("--eventpath").arg(&event).arg("--actor").arg(&request.push.actor);
    act.arg("--secret-file").arg(&secrets);
    // It would otherwise look for files of these kinds in the folder it is started from.
    for option in ["--env-file", "--var-file", "--input-file"] {
        act.arg(option).arg("/dev/null");
    }
    for (name, value) in [
        ("GITHUB_REPOSITORY", place.repository()?.slug.clone()),
        ("GITHUB_SERVER_URL", repository::server()),
        ("GITHUB_RUN_ID", run.number.to_string()),
        ("GITHUB_RUN_NUMBER", run.number.to_string()),
    ] {
        act.arg("--env").arg(format!("{name}={value}"));
    }
    act.arg("--action-cache-path").arg(work.join("jobs"));
    act.args(["--json", "--no-skip-checkout", "--no-cache-server", "--action-offline-mode", "--pull=false"]);
    act.args(["--container-daemon-socket", "-"]);
    Ok(act)
}

/// As much of GitHub's push event as a workflow asks for.
fn event_of(request: &Request, repository: &Repository) -> serde_json::Value {
    let push = &request.push;
    let (owner, name) = repository.slug.split_once('/').unwrap_or_default();
    json!({
        "ref": push.reference,
        "before": push.before,
        "after": push.after,
        "created": push.before.bytes().all(|digit| digit == b'0'),
        // Without it act takes the commit from somewhere else.
        "deleted": false,
        "base_ref": null,
        "head_commit": {"id": push.after, "message": push.message},
        "pusher": {"name": push.actor},
        "sender": {"login": push.actor},
        "repository": {
            "full_name": repository.slug,
            "name": name,
            "owner": {"login": owner},
            "default_branch": repository.branch_name(),
            "clone_url": repository.url(),
        },
    })
}

fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        // Steps may print what is no text, and that must not end the log.
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            if to.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
}
