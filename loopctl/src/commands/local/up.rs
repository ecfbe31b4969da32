//! `loopctl up`: the whole loop on this machine.

use std::io::stdout;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use clap::Args;

use super::live;
use super::progress::{Progress, seconds};
use crate::output::say;
use crate::target::block_on;
use machine::base_images;
use machine::builds::Event;
use machine::builds::amount::roughly;
use machine::registry::package;
use machine::repository::Repository;
use machine::start::Order;
use machine::state::{self, Folder};
use machine::workflow::again::again;
use machine::workflow::follow;
use machine::workflow::runs::{self, Conclusion, Run};
use machine::{Place, checks, delivered, network, processes, start};

/// Start the whole loop on this machine: registry, git, workflow, Kubernetes, Argo CD
///
/// The first time it builds all of it from source, and says how many minutes of that are left. What was
/// built stays in the cache, and so does the delivery of the commit that was checked out: the next
/// `up` of the same commit begins with it, without a run of the workflow. Interrupted, it goes on
/// where it was when it is typed again. OpenTofu is built when `tofu` is first used.
///
/// It needs root, 15 GB of disk, Go, Rust and Python; what else is missing it says. Everything it
/// makes is in /var/lib/argo-rust-loop (LOOPCTL_STATE names another folder) and in the cache
/// (~/.cache, or XDG_CACHE_HOME). It uses nothing of another cluster on the machine: to deliver to
/// that one, MicroK8s, kind or k3s, follow README instead.
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
    if let Some(kept) = Repository::kept(&place.state)? {
        kept.require_here()?;
    }
    if is_up(&place) {
        say("The loop is up already.\n");
        what_to_try(&place)?;
        return Ok(ExitCode::SUCCESS);
    }
    let progress = Progress::new();
    check_machine(&place, options, &progress)?;
    let _turn = place.take_turn()?;
    state::claim(&place.state)?;
    Repository::here()?.keep(&place.state)?;
    build_and_start(&place, &progress)?;
    deliver(&place, &progress)?;
    say(&format!("\nThe loop is up after {}.\n", seconds(begin.elapsed())));
    what_to_try(&place)?;
    Ok(ExitCode::SUCCESS)
}

fn is_up(place: &Place) -> bool {
    matches!(state::look(&place.state), Ok(Folder::OfALoop))
        && network::is_ours(place)
        && machine::parts().iter().all(|part| part.ready(place).is_ok())
        && block_on(async { live::look(&live::delivery(place).await?).await }).is_ok()
}

fn check_machine(place: &Place, options: &Options, progress: &Progress) -> Result<()> {
    let missing = checks::missing_packages();
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    if !missing.is_empty() && (options.install || in_ci) && rustix::process::geteuid().is_root() {
        let begin = Instant::now();
        progress.now(BUILD, "installing Debian packages");
        checks::install(&missing)?;
        progress.now(BUILD, "");
        progress.done(begin.elapsed(), "packages", &format!("installed {}", missing.join(" ")));
    }
    let found = checks::all(place)?;
    if !found.is_empty() {
        bail!("the loop cannot run on this machine yet:\n- {}", found.join("\n- "));
    }
    Ok(())
}

/// Builds what is missing, and starts each part as soon as what it needs is there: the cluster while Argo CD is still
/// compiled.
fn build_and_start(place: &Place, progress: &Progress) -> Result<()> {
    // Before any thread starts: a program that is still being written cannot be run.
    processes::own_copy(place)?;
    place.builds()?.link(place)?;
    let order = Order::default();
    let outcomes = thread::scope(|threads| {
        let programs = threads.spawn(|| order.work("the build", || build(place, &order, progress)));
        let images = threads.spawn(|| order.work("the images", || make_images(place, &order, progress)));
        let parts = order.work("the start", || start_parts(place, &order, progress));
        [programs, images]
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread of this command broke down")))
            .into_iter()
            .chain([parts])
            .collect::<Vec<Result<()>>>()
    });
    outcomes.into_iter().collect()
}

/// Makes once what the cache then keeps.
fn build(place: &Place, order: &Order, progress: &Progress) -> Result<()> {
    let begin = Instant::now();
    if let Some(version) = package::fetch(place)? {
        progress.done(begin.elapsed(), "registry", &format!("Debian's program fetched: {version}"));
    }
    order.is_there("program registry")?;
    let builds = place.builds()?;
    let begin = Instant::now();
    builds.build_for_up(&|event| {
        match event {
            Event::Fetching => progress.now(BUILD, "fetching modules"),
            Event::Building { name, left } => progress.now(BUILD, &format!("building {name}, {}", roughly(left))),
            Event::Kept { name } => drop(order.is_there(&format!("program {name}"))),
            Event::Built { name, took } => {
                let version = builds.version(name).ok().flatten();
                let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
                progress.done(took, name, &format!("built{version}"));
                drop(order.is_there(&format!("program {name}")));
            }
        }
        !order.has_failed()
    })?;
    progress.now(BUILD, "");
    if begin.elapsed() > Duration::from_secs(2) {
        progress.done(begin.elapsed(), "programs", "built, all of them");
    }
    Ok(())
}

/// Who has something to say in the line that tells what is being done.
const BUILD: &str = "build";
const PARTS: &str = "parts";

fn make_images(place: &Place, order: &Order, progress: &Progress) -> Result<()> {
    for image in base_images::ALL {
        if !order.wait_for(image.made_of)? {
            return Ok(());
        }
        let begin = Instant::now();
        if image.make(place)? {
            progress.done(begin.elapsed(), image.name, &format!("image made: {}", image.does));
        }
        order.is_there(&format!("image {}", image.name))?;
    }
    Ok(())
}

fn start_parts(place: &Place, order: &Order, progress: &Progress) -> Result<()> {
    let parts = machine::parts();
    let waiting = Mutex::new(parts.iter().map(|part| part.name()).collect::<Vec<_>>());
    start::start(place, &parts, order, &|part, took| {
        progress.done(took, part.name(), part.does());
        if let Ok(mut waiting) = waiting.lock() {
            waiting.retain(|name| *name != part.name());
            let text = if waiting.is_empty() { String::new() } else { format!("waiting for {}", waiting.join(", ")) };
            progress.now(PARTS, &text);
        }
    })
}

/// Shows the newest run to its end, then waits until what it built is live.
fn deliver(place: &Place, progress: &Progress) -> Result<()> {
    let begin = Instant::now();
    let newest = runs::all(place)?.last().map(|run| Run::of(place, run.number));
    // A run that ended well before this `up` has nothing left to show.
    if let Some(run) = newest.filter(|run| !has_succeeded(run)) {
        // One that has failed is tried once more: what was in its way may be gone.
        let run = if run.outcome()?.is_some() { again(place, &run)? } else { run };
        let outcome = follow::follow(&run, &mut stdout())?;
        if outcome.conclusion != Conclusion::Success {
            follow::report(&run, &outcome, &mut stdout())?;
            bail!(
                "the workflow has not succeeded, so there is nothing to roll out; everything else is up. \
                 `cargo loopctl up` tries it once more, `cargo loopctl push` another commit"
            );
        }
        progress.done(
            begin.elapsed(),
            "workflow",
            &format!("run {} built and pushed the image, and bumped its tag", run.number),
        );
    }
    let restored = delivered::is_restored(place)?;
    if restored {
        let what = "not run: the cache has the image of this commit and its bump";
        progress.done(begin.elapsed(), "workflow", what);
    }
    let begin = Instant::now();
    progress.now(PARTS, "waiting for Argo CD to roll the image out");
    let image = block_on(roll_out(place))?;
    progress.done(begin.elapsed(), "rollout", &format!("every pod runs {image}"));
    progress.now(PARTS, "");
    if restored { Ok(()) } else { delivered::keep(place) }
}

/// Returns the image once it is live.
async fn roll_out(place: &Place) -> Result<String> {
    let (delivery, begin) = (live::delivery(place).await?, Instant::now());
    let names = &delivery.names;
    let cluster = delivery.reachable().map_err(Error::msg)?;
    // Argo CD looks now instead of at its next turn.
    cluster.refresh(&names.application_namespace, &names.application).await?;
    loop {
        match live::look(&delivery).await {
            Ok(image) => return Ok(image),
            Err(missing) if begin.elapsed() > UNTIL_LIVE => {
                bail!("the service is not live {UNTIL_LIVE:?} after its image was built: {missing:#}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

fn has_succeeded(run: &Run) -> bool {
    matches!(run.outcome(), Ok(Some(outcome)) if outcome.conclusion == Conclusion::Success)
}

fn what_to_try(place: &Place) -> Result<()> {
    let repository = place.repository()?;
    let service = repository.service();
    let probe = repository.coordinates().ok().and_then(|coordinates| coordinates.probe);
    say(&format!("Ask the service:     curl {service}{}", probe.map_or("/version".to_owned(), |probe| probe.path)));
    say("Change something:    edit src/, git commit, then `cargo loopctl push`");
    say(&format!("Watch it come:       watch -n1 curl -s {service}/version"));
    say(&format!("See every commit:    {}", machine::board::address()));
    say("Ask where it is:     cargo loopctl where; cargo loopctl verify; cargo loopctl doctor");
    say("Look into the loop:  cargo loopctl status; cargo loopctl logs PART; cargo loopctl runs");
    say(&format!(
        "Use its programs:    export KUBECONFIG={} PATH={}:$PATH",
        place.kubeconfig().display(),
        place.bin().display()
    ));
    say(&format!("Push by hand:        git push {} HEAD:{}", repository.url(), repository.branch_name()));
    say("End it:              cargo loopctl down");
    Ok(())
}
