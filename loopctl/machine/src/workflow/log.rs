//! Turns what act reports into the run's log, its progress and its summary.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runs::{Run, StepOutcome};

/// A line of `act --json`; only what is used here.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    msg: String,
    #[serde(rename = "jobID")]
    job_id: Option<String>,
    /// Of a job that there is once for each of them.
    matrix: Option<BTreeMap<String, Value>>,
    step: Option<String>,
    stage: Option<String>,
    #[serde(rename = "stepID")]
    step_id: Vec<String>,
    step_result: Option<String>,
    job_result: Option<String>,
    /// In nanoseconds.
    execution_time: Option<f64>,
    #[serde(rename = "raw_output")]
    raw_output: bool,
    command: Option<String>,
    content: Option<String>,
}

impl Line {
    /// As the workflow names it; of several services each has one of its own.
    fn job(&self) -> Option<String> {
        let folder = self
            .matrix
            .as_ref()
            .and_then(|matrix| matrix.get("folder"))
            .and_then(Value::as_str)
            .filter(|folder| *folder != ".");
        let job = self.job_id.as_ref()?;
        Some(folder.map_or_else(|| job.clone(), |folder| format!("{job} {folder}")))
    }
}

/// A line of the progress file, for whoever follows the run.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase", tag = "event")]
pub enum Progress {
    Begins { job: String, step: String },
    Ends(StepOutcome),
}

pub struct Log {
    text: File,
    progress: File,
    summary: File,
    /// When each job that has not ended began.
    jobs: BTreeMap<String, Instant>,
    steps: Vec<StepOutcome>,
}

impl Log {
    pub fn create(run: &Run) -> Result<Self> {
        let open = |path: &Path| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self {
            text: open(&run.log())?,
            progress: open(&run.progress())?,
            summary: open(&run.summary())?,
            jobs: BTreeMap::new(),
            steps: Vec::new(),
        })
    }

    pub fn steps(self) -> Vec<StepOutcome> {
        self.steps
    }

    pub fn note(&mut self, text: &str) -> Result<()> {
        writeln!(self.text, "{text}").context("cannot write the run's log")
    }

    /// The jobs that run longer than their `timeout-minutes`, which act does not enforce.
    pub fn overdue(&self, limit: impl Fn(&str) -> Duration) -> Option<&str> {
        self.jobs.iter().find(|(job, begin)| begin.elapsed() > limit(job)).map(|(job, _)| job.as_str())
    }

    pub fn take(&mut self, line: &str) -> Result<()> {
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            return self.note(line);
        };
        let Some(job) = line.job() else {
            return self.note(&plain(&line.msg));
        };
        if line.job_result.is_some() {
            self.jobs.remove(&job);
        } else {
            self.jobs.entry(job.clone()).or_insert_with(Instant::now);
        }
        // A stand-in's own steps are part of the one step that the workflow file names.
        let outer = line.step_id.len() == 1;
        if line.command.as_deref() == Some("summary") {
            return match line.content.filter(|_| outer) {
                Some(content) => {
                    writeln!(self.summary, "{}", content.trim_end()).context("cannot write the run's summary")
                }
                None => Ok(()),
            };
        }
        if line.raw_output {
            let text = plain(&line.msg);
            // A progress bar where there is no terminal to draw it on is a line of dots.
            return if text.chars().all(|letter| letter == '…') {
                Ok(())
            } else {
                self.note(&format!("{job} | {text}"))
            };
        }
        self.step(&job, &line, outer)
    }

    fn step(&mut self, job: &str, line: &Line, outer: bool) -> Result<()> {
        let Some(step) = line.step.as_deref().filter(|_| outer) else { return Ok(()) };
        let step = named(step);
        let main = line.stage.as_deref() == Some("Main");
        match line.step_result.as_deref() {
            None if main && line.msg.contains("Run Main") => {
                self.note(&format!("{job} | ==> {step}"))?;
                self.progress(&Progress::Begins { job: job.to_owned(), step })
            }
            // What comes before and after is worth a line only when it fails.
            Some(result) if main || result == "failure" => {
                let seconds = line.execution_time.unwrap_or_default() / 1e9;
                let ended = Timestamp::from_second(Timestamp::now().as_second()).ok();
                let outcome = StepOutcome { job: job.to_owned(), step, success: result == "success", seconds, ended };
                self.note(&format!("{job} | <== {result} after {seconds:.1} s"))?;
                self.steps.push(outcome.clone());
                self.progress(&Progress::Ends(outcome))
            }
            _ => Ok(()),
        }
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        let line = serde_json::to_string(progress)? + "\n";
        self.progress.write_all(line.as_bytes()).context("cannot write the run's progress")
    }
}

/// The first line, and an action without the commit it is pinned at.
fn named(step: &str) -> String {
    let first = step.lines().next().unwrap_or_default();
    match first.split_once('@') {
        Some((action, commit)) if commit.len() == 40 && !action.contains(' ') => action.to_owned(),
        _ => first.to_owned(),
    }
}

/// Without the escape sequences of a terminal, and only the last state of a line that was redrawn.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.trim_end().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' if letters.next_if_eq(&'[').is_some() => {
                while letters.next().is_some_and(|part| !part.is_ascii_alphabetic()) {}
            }
            '\r' => plain.clear(),
            _ => plain.push(letter),
        }
    }
    plain.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_words_and_loses_what_only_a_terminal_shows() {
        assert_eq!(plain("\u{1b}[1A\u{1b}[JCopying blob done  \r\n"), "Copying blob done");
        assert_eq!(plain("10 %\r100 %\n"), "100 %");
    }

    #[test]
    fn a_step_is_called_what_the_workflow_calls_it() {
        assert_eq!(named("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"), "actions/checkout");
        assert_eq!(named("cargo test\ncargo clippy"), "cargo test");
        assert_eq!(named("mail a@b"), "mail a@b");
    }

    /// Feeds lines of act to a log and gives back its three files.
    fn files(lines: &[&str]) -> (String, String, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let run = Run { number: 1, folder: folder.path().to_path_buf() };
        let mut log = Log::create(&run).expect("a log");
        for line in lines {
            log.take(line).expect("a line is taken");
        }
        let read = |path| std::fs::read_to_string(path).expect("the file was made");
        let timeless = |text: String| match text.split_once("\"ended\":\"") {
            Some((before, after)) => format!("{before}\"ended\":\"TIME{}", &after[after.find('"').unwrap_or(0)..]),
            None => text,
        };
        (read(run.log()), timeless(read(run.progress())), read(run.summary()))
    }

    #[test]
    fn the_log_has_the_steps_of_the_workflow_and_what_they_print() {
        let (log, progress, _) = files(&[
            r#"{"jobID":"test","msg":"⭐ Run Main cargo test","stage":"Main","step":"cargo test","stepID":["1"]}"#,
            r#"{"jobID":"test","msg":"ok\r\n","raw_output":true,"stage":"Main","step":"cargo test","stepID":["1"]}"#,
            r#"{"jobID":"test","msg":"  ✅  Success","executionTime":1500000000,"stage":"Main","step":"cargo test","stepID":["1"],"stepResult":"success"}"#,
            r#"{"jobID":"test","msg":"🏁  Job succeeded","jobResult":"success"}"#,
        ]);
        assert_eq!(log, "test | ==> cargo test\ntest | ok\ntest | <== success after 1.5 s\n");
        assert_eq!(
            progress,
            "{\"event\":\"begins\",\"job\":\"test\",\"step\":\"cargo test\"}\n\
             {\"event\":\"ends\",\"job\":\"test\",\"step\":\"cargo test\",\"success\":true,\"seconds\":1.5,\"ended\":\"TIME\"}\n"
        );
    }

    #[test]
    fn a_summary_written_inside_of_a_stand_in_is_kept_once() {
        let (_, _, summary) = files(&[
            r#"{"jobID":"build","msg":"Summary","command":"summary","content":"Built.\n","step":"a","stepID":["2","0"]}"#,
            r#"{"jobID":"build","msg":"Summary","command":"summary","content":"Built.\n","step":"a","stepID":["2"]}"#,
        ]);
        assert_eq!(summary, "Built.\n");
    }
}
