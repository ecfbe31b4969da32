//! `loopctl up`: the whole loop on this machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::local::{self, Part, Place, base_images, checks, start};

/// Start the whole loop on this machine: registry, git, workflow, Kubernetes, Argo CD
#[derive(Args)]
pub struct Options {
    /// Install the Debian packages that are missing (also done where CI=true)
    #[arg(long)]
    install: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let begin = Instant::now();
    check_machine(&place, options)?;
    build(&place)?;
    start::start(&place, &local::parts(), &report)?;
    println!("The loop is up after {}.", seconds(begin.elapsed()));
    Ok(ExitCode::SUCCESS)
}

fn check_machine(place: &Place, options: &Options) -> Result<()> {
    let missing = checks::missing_packages();
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    if !missing.is_empty() && (options.install || in_ci) && rustix::process::geteuid().is_root() {
        let begin = Instant::now();
        checks::install(&missing)?;
        line(begin.elapsed(), "packages", &format!("installed {}", missing.join(" ")));
    }
    let found = checks::all(place)?;
    if !found.is_empty() {
        bail!("the loop cannot run on this machine yet:\n- {}", found.join("\n- "));
    }
    Ok(())
}

/// Makes once what the cache then keeps.
fn build(place: &Place) -> Result<()> {
    let builds = place.builds()?;
    for program in builds.programs().filter(|_| std::env::var_os("SKIP_BUILD").is_none()) {
        if let Some(took) = builds.build(program)? {
            line(took, program, &format!("built, version {}", builds.version(program)?));
        }
    }
    for image in base_images::ALL {
        let begin = Instant::now();
        if image.make(place)? {
            line(begin.elapsed(), image.name, &format!("image made: {}", image.does));
        }
    }
    Ok(())
}

fn report(part: &dyn Part, took: Duration) {
    line(took, part.name(), part.does());
}

fn line(took: Duration, name: &str, text: &str) {
    println!("{:>8}  {name:<24} {text}", seconds(took));
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
