use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// Where and with what the figures were measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub date: String,
    pub versions: BTreeMap<String, String>,
}

/// The two cores of a measurement; this process and all clients stay on the load's.
#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Machine {
    pub fn describe(bench: &Path) -> Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        Ok(Self {
            processor: model.trim_start_matches(['\t', ' ', ':']).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            versions: versions(bench)?,
        })
    }
}

impl Cores {
    pub fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(server), Some(load)) = (cores.next(), cores.next()) else {
            bail!("a measurement needs two cores, one for the server and one for the load");
        };
        Ok(Self { server, load })
    }

    /// Runs the step, and what it starts, on these cores; afterwards this thread is on the load's again.
    pub fn on<T>(self, cores: &[usize], step: impl FnOnce() -> T) -> Result<T> {
        pin(cores)?;
        let outcome = step();
        pin(&[self.load])?;
        Ok(outcome)
    }
}

pub fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("cannot move to the cores {cores:?}"))
}

/// For ten thousand connections, here and in every server that is started from here.
pub fn allow_open_files() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("cannot raise the limit of open files")
}

fn versions(bench: &Path) -> Result<BTreeMap<String, String>> {
    const CRATES: [&str; 7] = ["actix-web", "axum", "dashu-int", "hyper", "malachite-nz", "num-bigint", "tokio"];
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(&fs::read_to_string(bench.join("../loopctl/Cargo.lock"))?)?;
    let crates = lock.package.into_iter().filter(|package| CRATES.contains(&package.name.as_str()));
    let mut versions: BTreeMap<String, String> = crates.map(|package| (package.name, package.version)).collect();
    for (name, argument) in [("nginx", "-v"), ("wrk", "-v"), ("valgrind", "--version"), ("rustc", "--version")] {
        if let Some(version) = said_version(name, argument) {
            versions.insert(name.to_owned(), version);
        }
    }
    Ok(versions)
}

/// The first word with a digit and a dot; some say it on standard error, some end with code 1 after it.
fn said_version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let word = said.split([' ', '/', '-', '\n']).find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    Some(word.to_owned())
}
