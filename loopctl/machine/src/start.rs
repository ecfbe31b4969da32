//! The order of things: starts every part as soon as what it needs is ready, stops them backwards.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::{Part, Place, processes};

/// What is there by now: parts that are ready, programs and images that are made. Threads wait on it for each other.
#[derive(Default)]
pub struct Order {
    there: Mutex<There>,
    changed: Condvar,
}

#[derive(Default)]
struct There {
    things: BTreeSet<String>,
    failed: bool,
}

impl Order {
    pub fn is_there(&self, thing: &str) -> Result<()> {
        self.there.lock().map_err(|_| broken())?.things.insert(thing.to_owned());
        self.changed.notify_all();
        Ok(())
    }

    /// Hands the outcome on; after a failure nobody goes on waiting.
    pub fn watch<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.is_err() {
            self.there.lock().map_err(|_| broken())?.failed = true;
            self.changed.notify_all();
        }
        outcome
    }

    /// Does one of the works that wait for each other. One that breaks down has failed, and ends the others too.
    pub fn work(&self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        self.watch(outcome.unwrap_or_else(|reason| Err(anyhow!("{name} broke down: {}", message(reason.as_ref())))))
    }

    pub fn has_failed(&self) -> bool {
        self.there.lock().is_ok_and(|there| there.failed)
    }

    /// False when something has failed, so that what waits is not worth beginning.
    pub fn wait_for<'a>(&self, things: impl IntoIterator<Item = &'a &'a str>) -> Result<bool> {
        let things: Vec<&str> = things.into_iter().copied().collect();
        let there = self.there.lock().map_err(|_| broken())?;
        let missing = |there: &mut There| !there.failed && !things.iter().all(|thing| there.things.contains(*thing));
        Ok(!self.changed.wait_while(there, missing).map_err(|_| broken())?.failed)
    }
}

/// What a panic has said.
fn message(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("without a word").to_owned()
}

fn broken() -> anyhow::Error {
    anyhow!("another thread broke down")
}

/// Starts all parts, each on a thread of its own, and tells `report` about each that is ready.
pub fn start(
    place: &Place,
    parts: &[Box<dyn Part>],
    order: &Order,
    report: &(dyn Fn(&dyn Part, Duration) + Sync),
) -> Result<()> {
    let start_in_turn = |part: &dyn Part| -> Result<()> {
        if !order.wait_for(part.needs().iter().chain(part.made_of()))? {
            return Ok(());
        }
        let begin = Instant::now();
        start_one(place, part, begin)?;
        report(part, begin.elapsed());
        order.is_there(part.name())
    };
    let outcomes: Vec<Result<()>> = scope(|threads| {
        let started: Vec<_> = parts
            .iter()
            .map(|part| threads.spawn(|| order.work(part.name(), || start_in_turn(part.as_ref()))))
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
            assert_ne!(self.name, "faulty", "nobody thought of this");
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
        let outcome = start(&place, parts, &Order::default(), &|part, _| {
            order.lock().expect("no report panics").push(part.name());
        });
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
    fn a_part_that_breaks_down_ends_those_that_wait_for_it_with_what_it_said() {
        let (order, outcome) = started(&fakes(&[("faulty", &[]), ("b", &["faulty"]), ("c", &["b"])]));
        let said = outcome.expect_err("one part breaks down").to_string();
        assert!(said.starts_with("faulty broke down: ") && said.contains("nobody thought of this"), "{said}");
        assert_eq!(order, [""; 0]);
        for (reason, expected) in
            [(Box::new("a word") as Box<dyn Any + Send>, "a word"), (Box::new(7), "without a word")]
        {
            assert_eq!(message(reason.as_ref()), expected);
        }
    }

    #[test]
    fn a_part_is_started_when_what_it_is_made_of_is_there_and_not_when_making_it_has_failed() {
        for (outcome, expected) in [(Ok(()), true), (Err(anyhow!("no compiler")), false)] {
            let order = Order::default();
            let begun = scope(|threads| {
                let waiting = threads.spawn(|| order.wait_for(&["etcd", "program etcd"]));
                order.is_there("etcd").expect("nobody breaks down");
                if order.watch(outcome).is_ok() {
                    order.is_there("program etcd").expect("nobody breaks down");
                }
                waiting.join().expect("nobody breaks down")
            });
            assert_eq!(begun.expect("nobody breaks down"), expected);
        }
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
        in_order(&crate::parts()).expect("every need is a part, and none needs itself");
    }

    #[test]
    fn what_the_parts_of_the_loop_are_made_of_is_made_by_up() {
        let place = Place::find().expect("the tests run with a home folder");
        for thing in crate::parts().iter().flat_map(|part| part.made_of()) {
            let made = match thing.split_once(' ') {
                Some(("program", "registry")) => true,
                Some(("program", name)) => place.program(name).is_ok(),
                Some(("image", name)) => crate::base_images::ALL.iter().any(|image| image.name == name),
                _ => false,
            };
            assert!(made, "nothing makes `{thing}`");
        }
    }
}
