//! Measures argo-rust beside its peers: a part a file in `parts`, then the tables in `report`.

mod cgroup;
mod cli;
mod client;
#[path = "../../e2e/src/contract.rs"]
mod contract;
mod extras;
mod machine;
mod parts;
mod programs;
mod report;
mod results;
mod server;
mod statistics;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser as _, ValueEnum as _};

use crate::cli::{Arguments, Output, Part};
use crate::machine::{Cores, Machine};
use crate::parts::Run;
use crate::results::{Measured, Results};
use crate::server::{Kind, Target};

/// `EX_USAGE` of sysexits.h, as the service has it.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = bench.join("results.json");
    // Parts that are not measured now keep the figures they had.
    let mut results = if arguments.write || arguments.render { Results::read(&file)? } else { Results::default() };
    if !arguments.render {
        measure(arguments, bench, &file, &mut results)?;
    }
    if arguments.write {
        results.write(&file)?;
        report::write(&results, bench)?;
    }
    match arguments.output {
        Output::Text => println!("{}", report::full(&results)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&results)?),
    }
    Ok(())
}

fn measure(arguments: &Arguments, bench: &Path, file: &Path, results: &mut Results) -> Result<()> {
    let repository = bench.parent().context("bench/ is not in the repository")?.to_owned();
    let folder = tempfile::tempdir()?;
    let path = probe_path(&repository)?;
    let services = services(arguments, &repository, &path)?;
    let peers = programs::peers(bench)?;
    let machine = Machine::describe(bench)?;
    let cores = Cores::choose()?;
    machine::pin(&[cores.load])?;
    machine::allow_open_files()?;

    // All answer what the service does, and the limit does so header by header.
    let whole = folder.path().join("answer");
    let answer = client::ask(services[0].start(cores, 1)?.address, &path)?;
    std::fs::write(&whole, &answer.raw)?;
    let body = String::from_utf8(answer.body).with_context(|| format!("{path} answers no text"))?;
    let target =
        |name: &str, kind: Kind, program: PathBuf| Target { name: name.to_owned(), path: path.clone(), kind, program };
    let peer = |name: &str, kind: Kind| {
        let program = peers.get(name).with_context(|| format!("cargo built no program {name}"))?;
        Ok::<_, anyhow::Error>(target(name, kind, program.clone()))
    };
    let mut targets = vec![peer("epoll", Kind::Epoll(whole))?, target("nginx", Kind::Nginx(body.clone()), nginx()?)];
    for name in ["hyper", "actix", "axum"] {
        targets.push(peer(name, Kind::Peer(body.clone()))?);
    }
    targets.extend(services);

    let (rounds, seconds) = if arguments.quick { (3, 1) } else { (arguments.rounds as usize, arguments.seconds) };
    let paths = match arguments.paths.as_slice() {
        [] => extras::PATHS.map(str::to_owned).to_vec(),
        named => named.to_vec(),
    };
    let run = Run { cores, rounds, seconds, targets, body, paths };
    let parts = if arguments.parts.is_empty() { Part::value_variants() } else { &arguments.parts };
    for part in parts {
        let outcome = match part {
            Part::Http => parts::http::measure(&run),
            Part::Memory => parts::memory::measure(&run),
            Part::Start => parts::start::measure(&run),
            Part::Quota => parts::quota::measure(&run),
            Part::Instructions => parts::instructions::measure(&run),
            Part::Fibonacci => parts::fibonacci::measure(&run, bench),
        };
        let outcome = outcome.with_context(|| format!("the part {} failed", part.name()))?;
        let (rounds, figures) = (outcome.samples.rounds(), outcome.samples.figures());
        results.parts.insert(part.name(), Measured { machine: machine.clone(), rounds, figures, notes: outcome.notes });
        // Kept at once: if a later part fails, only that one has to be measured again.
        if arguments.write {
            results.write(file)?;
        }
    }
    Ok(())
}

/// The one that is shipped comes first; the tables and the goals are about it.
fn services(arguments: &Arguments, repository: &Path, path: &str) -> Result<Vec<Target>> {
    let shipped = match &arguments.service {
        Some(path) => path.clone(),
        None => programs::service(repository)?,
    };
    let named = std::iter::once(("argo-rust".to_owned(), shipped)).chain(arguments.also.iter().cloned());
    let targets = named.map(|(name, program)| {
        let program = program.canonicalize().with_context(|| format!("there is no program {}", program.display()))?;
        Ok(Target { name, path: path.to_owned(), kind: Kind::Service, program })
    });
    targets.collect()
}

/// What the delivery's contract asks of every service.
fn probe_path(repository: &Path) -> Result<String> {
    let manifest = std::fs::read_to_string(repository.join(contract::MANIFEST)).context(contract::MANIFEST)?;
    let path = contract::probe_path(&manifest).map(str::to_owned);
    path.with_context(|| format!("{} has no path in its readinessProbe", contract::MANIFEST))
}

/// Debian keeps it where a user's PATH does not lead.
fn nginx() -> Result<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
    let mut programs = folders.map(|folder| folder.join("nginx"));
    programs.find(|program| program.is_file()).context("nginx is not installed; scripts/bench-tools installs it")
}
