//! One run of the go command for all programs of a module that are missing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use super::amount::Amount;
use super::pins::Pins;
use super::{Builds, Program, Recipe, made_as};
use crate::shell;

/// What is told while it builds; whoever answers with false wants no more of it.
pub enum Event<'a> {
    /// Modules are fetched, as far as the machine does not have them.
    Fetching,
    Building {
        name: &'a str,
        left: Option<Duration>,
    },
    /// It took so long since the one before it.
    Built {
        name: &'a str,
        took: Duration,
    },
    /// It was built before.
    Kept {
        name: &'a str,
    },
}

/// The programs of one module that are missing, and where they come to be.
struct Batch<'a> {
    recipe: &'a Recipe,
    pins: &'a Pins,
    folder: &'a str,
    missing: Vec<&'a Program>,
    into: PathBuf,
    half: PathBuf,
    _turn: File,
}

impl Builds {
    /// Builds what `up` needs and is missing, in the order of builds.toml.
    pub fn build_for_up(&self, tell: &dyn Fn(Event) -> bool) -> Result<()> {
        self.build_those(&|recipe, _| !recipe.when_used, tell)
    }

    /// Builds this one unless it is there.
    pub fn build(&self, name: &str, tell: &dyn Fn(Event) -> bool) -> Result<()> {
        self.build_those(&|_, program| program.name == name, tell)
    }

    fn build_those(&self, wanted: &dyn Fn(&Recipe, &Program) -> bool, tell: &dyn Fn(Event) -> bool) -> Result<()> {
        let mut batches = Vec::new();
        let mut amount = Amount::default();
        for (folder, (recipe, pins)) in &self.recipes {
            let programs = recipe.build.iter().filter(|program| wanted(recipe, program)).collect::<Vec<_>>();
            if let Some(batch) = self.batch(folder, (recipe, pins), &programs, tell)? {
                tell(Event::Fetching);
                amount.add(&shell::run(&mut self.list(&batch)?)?)?;
                batches.push(batch);
            }
        }
        for batch in &batches {
            remove(&batch.half)?;
            let temporary = batch.half.join("tmp");
            fs::create_dir_all(&temporary).with_context(|| format!("cannot make {}", temporary.display()))?;
            let outcome = self.compile(batch, &mut amount, tell);
            remove(&batch.half)?;
            let parts = self.parts.join(batch.folder);
            if !outcome.with_context(|| format!("cannot build what is in {}", parts.display()))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// None when all of them are there.
    fn batch<'a>(
        &self,
        folder: &'a str,
        (recipe, pins): (&'a Recipe, &'a Pins),
        programs: &[&'a Program],
        tell: &dyn Fn(Event) -> bool,
    ) -> Result<Option<Batch<'a>>> {
        let Some(first) = programs.first() else { return Ok(None) };
        let into = self.cache.join("bin").join(self.identity(&first.name)?);
        fs::create_dir_all(&into).with_context(|| format!("cannot make {}", into.display()))?;
        let turn = File::open(&into).with_context(|| format!("cannot open {}", into.display()))?;
        // Two that want the same programs at once would only get in each other's way.
        flock(&turn, FlockOperation::LockExclusive).context("cannot wait for another build")?;
        let (there, missing): (Vec<&Program>, Vec<_>) =
            programs.iter().partition(|program| into.join(&program.name).exists());
        for program in there {
            tell(Event::Kept { name: &program.name });
        }
        let half = into.join("half");
        Ok((!missing.is_empty()).then_some(Batch { recipe, pins, folder, missing, into, half, _turn: turn }))
    }

    fn list(&self, batch: &Batch) -> Result<Command> {
        let mut list = self.go(batch.folder, batch.pins)?;
        list.args(["list", "-mod=readonly", "-deps", &batch.tags(), "-json=ImportPath,Name,Dir,GoFiles"]);
        list.args(batch.packages());
        Ok(list)
    }

    /// The go command compiles a package that several of them need once, links one beside compiling the next,
    /// and keeps what is compiled when it is interrupted. False when whoever is told wants no more of it.
    fn compile(&self, batch: &Batch, amount: &mut Amount, tell: &dyn Fn(Event) -> bool) -> Result<bool> {
        let mut ldflags = "-s -w".to_owned();
        for (variable, value) in &batch.recipe.variables {
            ldflags += &format!(" -X {variable}={}", batch.pins.fill(value)?);
        }
        let mut go = self.go(batch.folder, batch.pins)?;
        // It renames what it has linked only within one file system; elsewhere half a program would be seen.
        go.env("GOTMPDIR", batch.half.join("tmp")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        go.args(["build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", &batch.tags(), "-ldflags", &ldflags]);
        let mut go = go.arg("-o").arg(format!("{}/", batch.half.display())).args(batch.packages()).spawn()?;
        let lines = read_lines(go.stderr.take().context("its messages were asked for")?);
        let mut waiting = batch.missing.clone();
        let mut said = Vec::new();
        let mut last = Instant::now();
        loop {
            let ended = go.try_wait()?;
            // After its end all that it has said, before that what it has said by now.
            let lines: Vec<String> = if ended.is_some() { lines.iter().collect() } else { lines.try_iter().collect() };
            said.extend(lines.into_iter().filter(|line| !amount.begun(line) && !line.starts_with("go: downloading ")));
            let too_many = said.len().saturating_sub(12);
            said.drain(..too_many);
            let linked = |program: &Program| batch.half.join(made_as(&program.package));
            for program in waiting.extract_if(.., |program| linked(program).exists()) {
                fs::rename(linked(program), batch.into.join(&program.name))?;
                amount.linked();
                tell(Event::Built { name: &program.name, took: last.elapsed() });
                last = Instant::now();
            }
            match (ended, waiting.first()) {
                (Some(status), None) if status.success() => return Ok(true),
                (Some(status), _) => bail!("go build failed ({status}): {}", said.join("\n  ")),
                (None, next) => {
                    let name = next.map_or("the last program", |program| &program.name);
                    if !tell(Event::Building { name, left: amount.time_left() }) {
                        go.kill()?;
                        return go.wait().map(|_| false).context("cannot wait for go");
                    }
                }
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Batch<'_> {
    fn packages(&self) -> impl Iterator<Item = &str> {
        self.missing.iter().map(|program| &*program.package)
    }

    fn tags(&self) -> String {
        format!("-tags={}", self.recipe.tags.join(","))
    }
}

/// A thread of its own reads, so that progress is told while nothing is said.
fn read_lines(from: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
