//! The order of things: starts every part as soon as what it needs is ready, stops them backwards.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::{Part, Place, processes};

/// Who is ready, and whether somebody failed; the parts' threads wait on it for each other.
#[derive(Default)]
struct Progress {
    ready: BTreeSet<&'static str>,
    failed: bool,
}

/// Starts all parts, each on a thread of its own, and tells `report` about each that is ready.
pub fn start(place: &Place, parts: &[Box<dyn Part>], report: &(dyn Fn(&dyn Part, Duration) + Sync)) -> Result<()> {
    let progress = Mutex::new(Progress::default());
    let changed = Condvar::new();
    let outcomes: Vec<Result<()>> = scope(|threads| {
        let started: Vec<_> = parts
            .iter()
            .map(|part| {
                let (progress, changed) = (&progress, &changed);
                threads.spawn(move || {
                    if !wait_for_needs(part.as_ref(), progress, changed)? {
                        return Ok(());
                    }
                    let begin = Instant::now();
                    let outcome = start_one(place, part.as_ref(), begin);
                    let mut progress = progress.lock().map_err(|_| anyhow!("another part's thread broke down"))?;
                    match outcome {
                        Ok(()) => {
                            progress.ready.insert(part.name());
                            report(part.as_ref(), begin.elapsed());
                        }
                        Err(_) => progress.failed = true,
                    }
                    changed.notify_all();
                    outcome
                })
            })
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a part's thread broke down")))
            .collect()
    });
    let failures: Vec<String> =
        outcomes.into_iter().filter_map(|outcome| Some(format!("{:#}", outcome.err()?))).collect();
    if failures.is_empty() { Ok(()) } else { bail!("{}", failures.join("\n")) }
}

/// False when another part has failed, so that this one is not worth starting.
fn wait_for_needs(part: &dyn Part, progress: &Mutex<Progress>, changed: &Condvar) -> Result<bool> {
    let guard = progress.lock().map_err(|_| anyhow!("another part's thread broke down"))?;
    let guard = changed
        .wait_while(guard, |progress| {
            !progress.failed && !part.needs().iter().all(|need| progress.ready.contains(need))
        })
        .map_err(|_| anyhow!("another part's thread broke down"))?;
    Ok(!guard.failed)
}

fn start_one(place: &Place, part: &dyn Part, begin: Instant) -> Result<()> {
    // After an interrupted `up` most parts are there, and are better left alone.
    if part.ready(place).is_ok() {
        return Ok(());
    }
    part.start(place).with_context(|| format!("{} cannot be started", part.name()))?;
    let restarts = processes::restarts(place, part.name())?;
    loop {
        let Err(missing) = part.ready(place) else {
            return Ok(());
        };
        let (name, deadline) = (part.name(), part.deadline());
        let hopeless = processes::restarts(place, name)? >= restarts + HOPELESS_RESTARTS;
        if hopeless || begin.elapsed() > deadline {
            let seconds = begin.elapsed().as_secs();
            bail!(
                "{name} is not ready after {seconds} s: {missing:#}\n  `cargo loopctl logs {name}` shows what it said"
            );
        }
        sleep(Duration::from_millis(100));
    }
}

/// A process that dies that often in a row does not get better by waiting for the deadline.
const HOPELESS_RESTARTS: u32 = 6;

/// Stops all parts, the last first. It goes on after a failure, to leave as little as possible.
pub fn stop(place: &Place, parts: &[Box<dyn Part>], report: &dyn Fn(&dyn Part, Duration)) -> Result<()> {
    let mut failures = Vec::new();
    for part in in_order(parts)?.into_iter().rev() {
        let begin = Instant::now();
        match part.stop(place) {
            Ok(()) => report(part, begin.elapsed()),
            Err(error) => failures.push(format!("{} cannot be stopped: {error:#}", part.name())),
        }
    }
    if failures.is_empty() { Ok(()) } else { bail!("{}", failures.join("\n")) }
}

/// The parts so that each comes after those it needs.
pub fn in_order(parts: &[Box<dyn Part>]) -> Result<Vec<&dyn Part>> {
    let mut ordered: Vec<&dyn Part> = Vec::new();
    while ordered.len() < parts.len() {
        let is_there = |name: &str| ordered.iter().any(|part| part.name() == name);
        let next: Vec<&dyn Part> = parts
            .iter()
            .map(AsRef::as_ref)
            .filter(|part| !is_there(part.name()) && part.needs().iter().all(|need| is_there(need)))
            .collect();
        if next.is_empty() {
            let left: Vec<_> = parts.iter().map(|part| part.name()).filter(|name| !is_there(name)).collect();
            bail!("the parts {} need each other, or a part that does not exist", left.join(", "));
        }
        ordered.extend(next);
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::local;

    /// Ready once it was started, unless it is the broken one.
    struct Fake {
        name: &'static str,
        needs: &'static [&'static str],
        runs: AtomicBool,
    }

    impl Part for Fake {
        fn name(&self) -> &'static str {
            self.name
        }
        fn does(&self) -> &'static str {
            "stands for a part"
        }
        fn needs(&self) -> &'static [&'static str] {
            self.needs
        }
        fn start(&self, _: &Place) -> Result<()> {
            if self.name == "broken" {
                bail!("it is broken")
            }
            self.runs.store(true, Ordering::SeqCst);
            Ok(())
        }
        fn ready(&self, _: &Place) -> Result<()> {
            if self.runs.load(Ordering::SeqCst) { Ok(()) } else { bail!("it was not started") }
        }
    }

    fn fake(name: &'static str, needs: &'static [&'static str]) -> Box<dyn Part> {
        Box::new(Fake { name, needs, runs: AtomicBool::new(false) })
    }

    fn fakes(parts: &[(&'static str, &'static [&'static str])]) -> Vec<Box<dyn Part>> {
        parts.iter().map(|(name, needs)| fake(name, needs)).collect()
    }

    fn started(parts: &[Box<dyn Part>]) -> (Vec<&'static str>, Result<()>) {
        let order = Mutex::new(Vec::new());
        let place = Place::find().expect("the tests run with a home folder");
        let outcome = start(&place, parts, &|part, _| order.lock().expect("no report panics").push(part.name()));
        (order.into_inner().expect("no report panics"), outcome)
    }

    #[test]
    fn a_part_starts_after_those_it_needs() {
        let (order, outcome) = started(&fakes(&[("c", &["a", "b"]), ("b", &["a"]), ("a", &[])]));
        outcome.expect("every part can be started");
        assert_eq!(order, ["a", "b", "c"]);
    }

    #[test]
    fn what_needs_a_broken_part_is_not_started() {
        let (order, outcome) = started(&fakes(&[("broken", &[]), ("b", &["broken"])]));
        assert_eq!(outcome.expect_err("one part is broken").to_string(), "broken cannot be started: it is broken");
        assert_eq!(order, [""; 0]);
    }

    #[test]
    fn a_part_that_is_ready_is_left_alone() {
        let parts = vec![Box::new(Fake { name: "broken", needs: &[], runs: AtomicBool::new(true) }) as Box<dyn Part>];
        let (order, outcome) = started(&parts);
        outcome.expect("starting it would fail, and it need not be started");
        assert_eq!(order, ["broken"]);
    }

    #[test]
    fn parts_that_need_each_other_are_named() {
        let error = in_order(&fakes(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])).err().expect("a and b are a circle");
        assert_eq!(error.to_string(), "the parts a, b need each other, or a part that does not exist");
    }

    #[test]
    fn the_parts_of_the_loop_can_be_put_in_an_order() {
        in_order(&local::parts()).expect("every need is a part, and none needs itself");
    }
}
