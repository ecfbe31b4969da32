//! The workflow's runs, from the folders in which the git server keeps them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{Loop, wait};

pub struct Run {
    folder: PathBuf,
}

/// Twice what a cold build takes on two cores.
const RUN: Duration = Duration::from_secs(420);

impl Loop {
    /// The run that the push of this commit has started, or None.
    pub fn run_of(&self, commit: &str) -> Result<Option<Run>> {
        let Ok(entries) = fs::read_dir(self.state.join("runs")) else { return Ok(None) };
        for entry in entries {
            let run = Run { folder: entry?.path() };
            if run.json("request.json")?.is_some_and(|request| request["push"]["after"] == commit) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The run of a commit that was pushed to start one.
    pub fn started_run(&self, commit: &str) -> Result<Run> {
        self.run_of(commit)?.with_context(|| format!("expected: the push of {commit} starts a run\nseen: none"))
    }
}

impl Run {
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// What the steps wrote into $GITHUB_STEP_SUMMARY.
    pub fn summary(&self) -> String {
        fs::read_to_string(self.folder.join("summary.md")).unwrap_or_default()
    }

    /// Succeeds once the run has.
    pub fn has_succeeded(&self) -> Result<()> {
        match self.json("result.json")? {
            None => bail!("the run has not ended"),
            Some(result) if result["conclusion"] == "success" => Ok(()),
            Some(result) => bail!("the run ended with {result}"),
        }
    }

    pub fn has_ended(&self) -> Result<bool> {
        Ok(self.json("result.json")?.is_some())
    }

    /// Waits for its success, and returns how long the caller had to.
    pub fn wait(&self) -> Result<Duration> {
        let begin = Instant::now();
        wait::until(&format!("the run ends; its log: {}", self.log().display()), RUN, || {
            if self.has_ended()? { Ok(()) } else { bail!("it still runs") }
        })?;
        self.has_succeeded().with_context(|| format!("its log: {}", self.log().display()))?;
        Ok(begin.elapsed())
    }

    /// Whether a step of that name has begun, and whether it has ended well.
    pub fn step(&self, name: &str) -> Result<(bool, bool)> {
        let progress = fs::read_to_string(self.folder.join("progress")).unwrap_or_default();
        let lines: Vec<Value> = progress.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of_step = |event: &str| lines.iter().any(|line| line["event"] == event && line["step"] == name);
        let ended_well =
            lines.iter().any(|line| line["event"] == "ends" && line["step"] == name && line["success"] == true);
        Ok((of_step("begins") || of_step("ends"), ended_well))
    }

    pub fn has_begun(&self) -> bool {
        self.folder.join("progress").metadata().is_ok_and(|file| file.len() > 0)
    }

    fn json(&self, file: &str) -> Result<Option<Value>> {
        match fs::read_to_string(self.folder.join(file)) {
            Ok(text) => Ok(serde_json::from_str(&text).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {file} of a run")),
        }
    }
}
