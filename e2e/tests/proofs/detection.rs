//! How long Argo CD takes to see a commit.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::Loop;
use e2e::report::{Report, ensure, median_and_worst};
use e2e::repository::Clone;

/// What README promises of the annotation.
const FORCED: f64 = 3.0;
const LOOKS: usize = 5;
const DEADLINE: Duration = Duration::from_secs(60);

/// A commit that Argo CD has something to do for, and that restarts no pod.
fn push_a_note(clone: &Clone, note: usize) -> Result<String> {
    clone.update()?;
    let manifest = clone.read("k8s/deployment.yaml")?;
    let marker = "    e2e.argo-rust/note: ";
    let text: Vec<&str> = manifest.lines().filter(|line| !line.starts_with(marker)).collect();
    let mut text = text.join("\n") + "\n";
    if !text.contains("\n  annotations:\n") {
        text = text.replacen("\n  namespace: argo-rust\n", "\n  namespace: argo-rust\n  annotations:\n", 1);
    }
    text = text.replacen("\n  annotations:\n", &format!("\n  annotations:\n{marker}\"{note}\"\n"), 1);
    clone.write("k8s/deployment.yaml", &text)?;
    clone.push_without_run(&format!("Note {note}"))
}

fn push_to_synced(the_loop: &Loop, clone: &Clone, note: usize, forced: bool) -> Result<f64> {
    let commit = push_a_note(clone, note)?;
    let begin = Instant::now();
    if forced {
        the_loop.force_sync()?;
    }
    the_loop.wait_synced(&commit, DEADLINE)?;
    Ok(begin.elapsed().as_secs_f64())
}

fn said(times: &[f64]) -> String {
    let each: Vec<String> = times.iter().map(|time| format!("{time:.1}")).collect();
    let (median, worst) = median_and_worst(times);
    format!("median {median:.1} s, worst {worst:.1} s ({})", each.join(", "))
}

pub fn a_forced_sync_detects_a_commit_within_three_seconds(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, _| {
        let forced: Vec<f64> =
            (0..LOOKS).map(|note| push_to_synced(the_loop, clone, note, true)).collect::<Result<_>>()?;
        report.measured(format!("push to Synced by annotation, {LOOKS} in a row: {}", said(&forced)));
        ensure("each within 3 s", median_and_worst(&forced).1 < FORCED, said(&forced))?;

        // Without the annotation the same check has to fail before long: a push may come right before a look.
        let mut polled = Vec::new();
        while polled.len() < LOOKS && polled.iter().all(|time| *time < FORCED) {
            polled.push(push_to_synced(the_loop, clone, LOOKS + polled.len(), false)?);
        }
        report.control(format!("without the annotation: {}", said(&polled)));
        ensure("polling alone is slower than 3 s at least once", median_and_worst(&polled).1 >= FORCED, said(&polled))
    })
}
