//! Starts the runs that were called for, side by side; the git server does it after each push and each end.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use super::runs::{self, Conclusion, Run};
use crate::{Place, cgroups};

const LOST: &str = "its runner was killed";

pub struct Scheduler {
    place: Place,
    /// The runs that a thread of this process waits for.
    watched: Mutex<BTreeSet<u64>>,
}

impl Scheduler {
    pub fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, watched: Mutex::new(BTreeSet::new()) })
    }

    /// Does what has to be done now. After a restart it takes up where the killed server was.
    pub fn look(self: &Arc<Self>) -> Result<()> {
        // One look at a time: two of them would start the same run twice.
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for run in runs::unfinished(&self.place)? {
            if watched.contains(&run.number) {
                continue;
            }
            let is_running = run.is_running()?;
            if !is_running && run.progress().exists() {
                // It was running when the machine or the runner went down, and half a run cannot be continued.
                run.end(&self.place, Conclusion::Failure, LOST)?;
                continue;
            }
            let runner = if is_running { None } else { Some(start(&run)?) };
            watched.insert(run.number);
            self.watch(run, runner);
        }
        Ok(())
    }

    /// Waits for the end of a run on a thread of its own, then looks again.
    fn watch(self: &Arc<Self>, run: Run, runner: Option<Child>) {
        let this = Arc::clone(self);
        thread::spawn(move || {
            if let Err(error) = this.see_off(&run, runner) {
                eprintln!("run {}: {error:#}", run.number);
            }
            this.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.number);
            if let Err(error) = this.look() {
                eprintln!("cannot start what waits: {error:#}");
            }
        });
    }

    fn see_off(&self, run: &Run, runner: Option<Child>) -> Result<()> {
        match runner {
            Some(mut runner) => drop(runner.wait()?),
            // Started by the server that was killed: it is no child of this one.
            None => {
                while run.is_running()? {
                    thread::sleep(std::time::Duration::from_millis(200));
                }
            }
        }
        // A cancellation in progress ends the runner before it writes down why.
        let _turn = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever a step has left running in the background ends with the run.
        cgroups::end(&format!("parts/{}", run.control_group()))?;
        if run.outcome()?.is_none() {
            run.end(&self.place, Conclusion::Failure, LOST)?;
        }
        if let Some(outcome) = run.outcome()? {
            println!("run {} ended: {} after {:.1} s", run.number, outcome.conclusion.word(), outcome.seconds);
        }
        Ok(())
    }
}

fn start(run: &Run) -> Result<Child> {
    let mut runner = Command::new(std::env::current_exe()?);
    runner.arg("run-workflow").arg(run.number.to_string()).stdin(Stdio::null());
    runner.spawn().context("cannot start a runner")
}
