//! Shows a run while it runs: one line a step, and what the failing step printed.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::log::Progress;
use super::runs::{Conclusion, Outcome, Run};

/// What of the failing step's output is shown; the whole of it is in the log.
const SHOWN_OF_A_FAILURE: usize = 40;

/// Prints the run's steps as they end, until the run has ended.
pub fn follow(run: &Run, out: &mut impl Write) -> Result<Outcome> {
    let mut read = 0;
    let mut now = Now::default();
    loop {
        // Asked before the progress is read: nothing is written after the outcome.
        let outcome = run.outcome()?;
        for progress in fresh(run, &mut read)? {
            now.clear(out)?;
            match progress {
                Progress::Begins { job, step } => now.begin(job, step),
                Progress::Ends(step) => {
                    let mark = if step.success { "ok    " } else { "FAILED" };
                    writeln!(out, "{mark} {:>7.1} s  {:<8} {}", step.seconds, step.job, step.step)?;
                    now.end(&step.job);
                }
            }
        }
        if let Some(outcome) = outcome {
            now.clear(out)?;
            return Ok(outcome);
        }
        now.show(out)?;
        sleep(Duration::from_millis(100));
    }
}

/// How it ended, in a line, with the end of the log if that was badly.
pub fn report(run: &Run, outcome: &Outcome, out: &mut impl Write) -> Result<()> {
    if outcome.conclusion == Conclusion::Failure && outcome.reason.is_none() {
        writeln!(out, "\nThe end of the failing step's output:")?;
        for line in failing_lines(&std::fs::read_to_string(run.log())?) {
            writeln!(out, "  {line}")?;
        }
    }
    let reason = outcome.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    writeln!(out, "Run {}: {} after {:.1} s{reason}", run.number, outcome.conclusion.word(), outcome.seconds)?;
    let summary = std::fs::read_to_string(run.summary()).unwrap_or_default();
    for line in summary.lines() {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "The whole log: {}", run.log().display())?;
    Ok(())
}

/// The lines of the job that failed, up to the line that says so.
fn failing_lines(log: &str) -> Vec<&str> {
    let lines: Vec<&str> = log.lines().collect();
    let end = lines.iter().position(|line| line.contains(" | <== failure")).unwrap_or(lines.len());
    let job = lines.get(end).and_then(|line| line.split_once(" | ")).map_or("", |(job, _)| job);
    let mut shown: Vec<&str> =
        lines[..end].iter().filter_map(|line| line.strip_prefix(job)?.strip_prefix(" | ")).collect();
    let begin = shown.iter().rposition(|line| line.starts_with("==> ")).map_or(0, |begin| begin + 1);
    shown.drain(..begin.max(shown.len().saturating_sub(SHOWN_OF_A_FAILURE)));
    shown
}

/// The lines that were written completely since the last time.
fn fresh(run: &Run, read: &mut usize) -> Result<Vec<Progress>> {
    let mut text = String::new();
    match File::open(run.progress()) {
        Ok(mut file) => file.read_to_string(&mut text).context("cannot read the run's progress")?,
        Err(_) => return Ok(Vec::new()),
    };
    let complete = text.rfind('\n').map_or(0, |end| end + 1);
    let lines = &text[*read..complete];
    *read = complete;
    lines.lines().map(|line| serde_json::from_str(line).context("the run's progress is damaged")).collect()
}

/// The line at the bottom of a terminal that says what is being done.
#[derive(Default)]
struct Now {
    steps: Vec<(String, String, Instant)>,
    shown: bool,
}

impl Now {
    fn begin(&mut self, job: String, step: String) {
        self.steps.push((job, step, Instant::now()));
    }

    fn end(&mut self, job: &str) {
        self.steps.retain(|(running, _, _)| running != job);
    }

    fn show(&mut self, out: &mut impl Write) -> Result<()> {
        let Some((job, step, begin)) = self.steps.last().filter(|_| std::io::stdout().is_terminal()) else {
            return Ok(());
        };
        write!(out, "\r\u{1b}[K       {:>7.0} s  {job:<8} {step:.60}", begin.elapsed().as_secs_f64())?;
        self.shown = true;
        Ok(out.flush()?)
    }

    fn clear(&mut self, out: &mut impl Write) -> Result<()> {
        if std::mem::take(&mut self.shown) {
            write!(out, "\r\u{1b}[K")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_failure_only_the_failing_steps_own_lines_are_shown() {
        let log = "test | ==> cargo fmt\ntest | fine\ntest | <== success after 0.1 s\n\
                   test | ==> cargo test\nbuild | ==> other\ntest | panicked\ntest | <== failure after 2.0 s\n";
        assert_eq!(failing_lines(log), ["panicked"]);
    }
}
