//! `loopctl up`: the whole loop on this machine.

use std::io::stdout;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::local::workflow::follow;
use crate::local::workflow::runs::{self, Conclusion, Run};
use crate::local::{self, Part, Place, base_images, checks, delivery, git_server, processes, start};

/// Start the whole loop on this machine: registry, git, workflow, Kubernetes, Argo CD
///
/// The first time it builds all of it from source, which takes about half an hour on two cores;
/// what was built stays in the cache. Interrupted, it goes on where it was when it is typed again.
#[derive(Args)]
pub struct Options {
    /// Install the Debian packages that are missing (also done where CI=true)
    #[arg(long)]
    install: bool,
}

/// From the end of the workflow's run: Argo CD looks, pulls, and rolls out.
const UNTIL_LIVE: Duration = Duration::from_secs(180);

pub fn run(options: &Options) -> Result<ExitCode> {
    let place = Place::find()?;
    let begin = Instant::now();
    if is_up(&place) {
        println!("The loop is up already.\n");
        what_to_try(&place);
        return Ok(ExitCode::SUCCESS);
    }
    check_machine(&place, options)?;
    build(&place)?;
    // Before the parts' threads start: a program that is still being written cannot be run.
    processes::own_copy(&place)?;
    start::start(&place, &local::parts(), &report)?;
    deliver(&place)?;
    println!("\nThe loop is up after {}.\n", seconds(begin.elapsed()));
    what_to_try(&place);
    Ok(ExitCode::SUCCESS)
}

fn is_up(place: &Place) -> bool {
    place.state.exists()
        && local::parts().iter().all(|part| part.ready(place).is_ok())
        && delivery::is_live(place).is_ok()
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
    for program in builds.programs() {
        if let Some(took) = builds.build(program)? {
            line(took, program, &format!("built, version {}", builds.version(program)?));
        }
    }
    builds.link(place)?;
    for image in base_images::ALL {
        let begin = Instant::now();
        if image.make(place)? {
            line(begin.elapsed(), image.name, &format!("image made: {}", image.does));
        }
    }
    Ok(())
}

/// Shows the newest run to its end, then waits until what it built is live.
fn deliver(place: &Place) -> Result<()> {
    let begin = Instant::now();
    let newest = runs::all(place)?.last().map(|run| Run::of(place, run.number));
    // A run that ended well before this `up` has nothing left to show.
    if let Some(run) = newest.filter(|run| !has_succeeded(run)) {
        let outcome = follow::follow(&run, &mut stdout())?;
        if outcome.conclusion != Conclusion::Success {
            follow::report(&run, &outcome, &mut stdout())?;
            bail!("the workflow has not succeeded, so there is nothing to roll out; everything else is up");
        }
        line(
            begin.elapsed(),
            "workflow",
            &format!("run {} built and pushed the image, and bumped its tag", run.number),
        );
    }
    let begin = Instant::now();
    loop {
        match delivery::is_live(place) {
            Ok(image) => {
                line(begin.elapsed(), "rollout", &format!("every pod runs {image}"));
                return Ok(());
            }
            Err(missing) if begin.elapsed() > UNTIL_LIVE => {
                bail!("the service is not live {UNTIL_LIVE:?} after its image was built: {missing:#}");
            }
            Err(_) => sleep(Duration::from_millis(300)),
        }
    }
}

fn has_succeeded(run: &Run) -> bool {
    matches!(run.outcome(), Ok(Some(outcome)) if outcome.conclusion == Conclusion::Success)
}

fn what_to_try(place: &Place) {
    let service = delivery::service();
    println!("Ask the service:     curl {service}/hello");
    println!("Change something:    edit src/, git commit, then `cargo loopctl push`");
    println!("Watch it come:       watch -n1 curl -s {service}/version");
    println!("Look into the loop:  cargo loopctl status; cargo loopctl logs PART; cargo loopctl runs");
    println!(
        "Use its tools:       export KUBECONFIG={} PATH={}:$PATH",
        place.kubeconfig().display(),
        place.bin().display()
    );
    println!("Push by hand:        git push {} HEAD:master", git_server::url());
    println!("End it:              cargo loopctl down");
}

fn report(part: &dyn Part, took: Duration) {
    line(took, part.name(), part.does());
}

pub fn line(took: Duration, name: &str, text: &str) {
    println!("{:>8}  {name:<24} {text}", seconds(took));
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
