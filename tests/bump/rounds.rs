//! Many runs at once, in random order and with random delays: whatever happens, master ends on the newest inputs.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::history::judge;
use crate::manifest::{IMAGE, MANIFEST, tag};
use crate::people::People;
use crate::run::{self, Report};
use crate::world::{World, text};

/// A repository serves this many rounds, then the next begins: a long history only slows git down.
const ROUNDS_PER_WORLD: u64 = 10;
/// Runs mostly wait, so two repositories at a time keep the machine busy.
const WORLDS_AT_ONCE: usize = 2;
const RUNS_AT_ONCE: usize = 6;
const BUILD_FAILED: &str = "outcome=build failed";

/// The step under test: puts the image built from a commit into the manifest on master.
type BumpStep = fn(&World, &Path, &str) -> Report;

#[test]
fn every_round_ends_on_the_newest_inputs_and_nothing_is_lost() {
    let seed = seed();
    let totals = play(number("BUMP_ROUNDS").unwrap_or(40), seed, run::bump);
    println!("figures: {totals}, {} faults (BUMP_SEED={seed})", totals.faults.len());
    assert!(totals.faults.is_empty(), "replay with BUMP_SEED={seed}:\n{}", totals.faults.join("\n"));
    if totals.rounds < 20 {
        return;
    }
    assert!(totals.races > 0, "no run ever had to try again, so the rounds prove nothing about races");
    assert!(totals.outcomes.contains_key("superseded"), "no run was ever too late, which proves nothing about order");
}

#[test]
fn sed_commit_and_push_alone_fail_the_same_rounds() {
    control("sed, commit, push", |world, clone, commit| without_the_script(world, clone, commit, "true"));
}

#[test]
fn a_rebase_before_the_push_fails_the_same_rounds() {
    control("sed, commit, pull --rebase -X theirs, push", |world, clone, commit| {
        without_the_script(world, clone, commit, "git pull --quiet --rebase -X theirs origin master")
    });
}

/// What the script replaces has to fail; if it passed, the rounds above would be too easy.
fn control(name: &str, step: BumpStep) {
    let seed = seed();
    let totals = play(15, seed, step);
    let lost = totals.count("a run failed");
    println!(
        "figures: control ({name}): in {} rounds {lost} built images were never delivered, \
         {} rounds ended on an older image, {} images were put over newer ones, {} had been taken back",
        totals.rounds,
        totals.wrong_ends,
        totals.count("over a newer image"),
        totals.count("taken back"),
    );
    assert!(lost > 0, "{name} lost nothing: the rounds are too easy (BUMP_SEED={seed})");
}

/// The specification's own two steps, with room for one more before the push.
fn without_the_script(world: &World, clone: &Path, commit: &str, before_push: &str) -> Report {
    let tag = tag(commit);
    let steps = format!(
        "sed -i 's|image: {IMAGE}:.*|image: {IMAGE}:{tag}|' {MANIFEST}
         git diff --quiet && exit
         git config user.name 'github-actions[bot]'
         git commit --quiet --all --message 'ci: update image to {tag}'
         {before_push} && git push --quiet origin HEAD:master",
    );
    let ended = world.command("bash", clone).args(["-c", &steps]).output().expect("bash starts");
    // A run that stopped in the middle of a rebase is gone with its machine.
    world.try_git(clone, ["rebase", "--abort"]);
    let code = ended.status.code().expect("bash is not killed");
    Report { code, printed: text(&ended.stderr), output: "outcome=ended".into(), summary: String::new() }
}

fn play(rounds: u64, seed: u64, step: BumpStep) -> Totals {
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let worker = || {
        let mut totals = Totals::default();
        loop {
            let first = next.fetch_add(ROUNDS_PER_WORLD, Ordering::Relaxed);
            if first >= rounds {
                return totals;
            }
            play_in_one_world(first..rounds.min(first + ROUNDS_PER_WORLD), seed, step, &mut totals);
        }
    };
    let workers = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORLDS_AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a world ends")).collect::<Vec<_>>()
    });
    let mut totals = workers.into_iter().fold(Totals::default(), Totals::plus);
    totals.took = started.elapsed();
    totals
}

fn play_in_one_world(rounds: Range<u64>, seed: u64, step: BumpStep, totals: &mut Totals) {
    let world = World::new();
    let clones: Vec<PathBuf> = (0..RUNS_AT_ONCE).map(|at| world.light_clone_to(&format!("run{at}"))).collect();
    let mut people = People::new(&world);
    for round in rounds {
        let dice = fastrand::Rng::with_seed(seed + round);
        play_round(&world, &clones, &mut people, dice, step, totals);
    }
}

fn play_round(
    world: &World,
    clones: &[PathBuf],
    people: &mut People,
    mut dice: fastrand::Rng,
    step: BumpStep,
    totals: &mut Totals,
) {
    let (since, deployed) = (people.remember(world.tip()), world.deployed());
    let mut commits = Vec::new();
    let ended: Vec<Report> = thread::scope(|scope| {
        let mut runs = Vec::new();
        for clone in &clones[..dice.usize(4..=RUNS_AT_ONCE)] {
            let first = commits.is_empty();
            let commit = if first { people.push_code(world, &mut dice) } else { people.push(world, &mut dice) };
            commits.push(commit.clone());
            // Short and long ones, so that a later commit's build often ends first.
            let takes = Duration::from_millis(dice.u64(0..100) + if dice.bool() { 300 } else { 0 });
            let build = Build { takes, fails: dice.u8(0..10) == 0 };
            runs.push(scope.spawn(move || one_run(world, clone, &commit, build, step)));
            thread::sleep(Duration::from_millis(dice.u64(0..60)));
        }
        runs.into_iter().map(|run| run.join().expect("a run ends")).collect()
    });

    let good = commits.iter().zip(&ended).rev().find(|(_, report)| report.output != BUILD_FAILED);
    let verdict = judge(world, &since, &deployed, &people.pushed, good.map(|(commit, _)| commit.as_str()));
    totals.wrong_ends += usize::from(!verdict.ends_right);
    totals.faults.extend(verdict.faults);
    totals.add_runs(&ended);
    totals.rounds += 1;
}

/// One in ten fails, as builds do: what it would have delivered is then up to the next push.
struct Build {
    takes: Duration,
    fails: bool,
}

fn one_run(world: &World, clone: &Path, commit: &str, build: Build, step: BumpStep) -> Report {
    // What the checkout action leaves behind: this commit, and no later one known of master.
    world.git(clone, ["update-ref", "refs/remotes/origin/master", commit]);
    world.git(clone, ["checkout", "--quiet", "--force", "-B", "master", commit]);
    let decision = run::image_changed(world, clone);
    if decision.code != 0 || !decision.output.starts_with("changed=true") {
        return Report { output: "outcome=not needed".into(), ..decision };
    }
    thread::sleep(build.takes);
    if build.fails {
        return Report { output: BUILD_FAILED.into(), ..decision };
    }
    step(world, clone, commit)
}

#[derive(Default)]
struct Totals {
    rounds: u64,
    outcomes: BTreeMap<String, usize>,
    races: usize,
    wrong_ends: usize,
    faults: Vec<String>,
    took: Duration,
}

impl Totals {
    fn add_runs(&mut self, ended: &[Report]) {
        for report in ended {
            if report.code != 0 {
                self.faults.push(format!("a run failed: {}", report.printed));
            }
            self.races += report.printed.matches("since the last one ended with").count();
            let outcome = report.output.strip_prefix("outcome=").unwrap_or("without an outcome");
            *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
    }

    fn plus(mut self, other: Totals) -> Totals {
        self.rounds += other.rounds;
        self.races += other.races;
        self.wrong_ends += other.wrong_ends;
        self.faults.extend(other.faults);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        self
    }

    fn count(&self, words: &str) -> usize {
        self.faults.iter().filter(|fault| fault.contains(words)).count()
    }
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter) -> Result {
        write!(f, "{} rounds in {:.0} s; runs: ", self.rounds, self.took.as_secs_f32())?;
        for (outcome, count) in &self.outcomes {
            write!(f, "{count} {outcome}, ")?;
        }
        write!(f, "{} races met", self.races)
    }
}

fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs() % 1_000_000;
    number("BUMP_SEED").unwrap_or_else(now)
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value}: a whole number is expected")))
}
