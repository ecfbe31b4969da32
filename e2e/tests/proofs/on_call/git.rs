//! What stands in git stops the commit, or keeps anybody from reading on.

use anyhow::{Context, Result};
use e2e::Loop;
use e2e::application::SYNC;
use e2e::repository::Clone;

use super::fault::{Asked, FAILED, Fault, HELD, LIVE, Mend, nothing, planted};

const MANIFEST: &str = "k8s/deployment.yaml";
const NAME: &str = "  name: argo-rust\n  namespace: argo-rust\n";
const HOLD: &str = "  annotations:\n    delivery.argo-rust/hold: \"because\"\n";

pub const FAULTS: &[Fault] = &[
    planted("a commit that wants no run", nothing, nothing, "no run of the workflow will come")
        .asked(Asked::Pushed)
        .mended(Mend::Nothing),
    planted(
        "a tag written by hand that the registry has not got",
        |the_loop, clone| {
            clone.bump(&Loop::unused_tag()?)?;
            the_loop.force_sync()
        },
        nothing,
        "ImagePullBackOff",
    )
    .asked(Asked::Tip),
    planted(
        "a run that fails",
        |the_loop, clone| {
            clone.write("src/main.rs", &format!("{}fn main( {{\n", clone.read("src/main.rs")?))?;
            let run = the_loop.started_run(&clone.push("Break the service")?)?;
            let failed = run.wait().is_err();
            e2e::report::ensure("the run fails", failed, "it went through")
        },
        |_, clone| {
            clone.update()?;
            clone.replace("src/main.rs", "fn main( {\n", "")?;
            clone.push_without_run("Mend the service").map(drop)
        },
        "the workflow failed",
    )
    .asked(Asked::Tip)
    .ends(FAILED),
    planted(
        "a manifest that is no YAML",
        |_, clone| {
            clone.replace(MANIFEST, "  replicas: 1\n", "  replicas: 1\n bad: [\n")?;
            clone.push_without_run("Break the manifest").map(drop)
        },
        |the_loop, clone| {
            let live = before(clone)?;
            let said = the_loop.companion(&["rollback", "--to", &live, "--reason", "It cannot be read", "--yes"])?;
            said.ended(0)?;
            clone.update().map(drop)
        },
        MANIFEST,
    )
    .asked(Asked::Live)
    .ends(LIVE),
    planted(
        "a manifest that is gone",
        |the_loop, clone| {
            clone.remove(MANIFEST)?;
            let commit = clone.push_without_run("Remove the manifest")?;
            the_loop.force_sync()?;
            the_loop.wait_synced(&commit, SYNC).map(drop)
        },
        |the_loop, clone| {
            clone.update()?;
            e2e::shell::run(clone.git().args(["checkout", "--quiet", "HEAD~1", "--", MANIFEST]))?;
            clone.push_without_run("Put the manifest back")?;
            the_loop.force_sync()
        },
        "for which Argo CD deletes the Deployment",
    )
    .asked(Asked::Live),
    planted(
        "a hold that names no revision",
        |_, clone| {
            clone.replace(MANIFEST, NAME, &format!("{NAME}{HOLD}"))?;
            clone.push_without_run("Hold").map(drop)
        },
        |the_loop, clone| {
            clone.update()?;
            clone.replace(MANIFEST, HOLD, "")?;
            clone.push_without_run("Go on")?;
            the_loop.force_sync()
        },
        "is held",
    )
    .asked(Asked::Pushed)
    .found("is no revision stops every bump")
    .ends(HELD),
];

/// The seven digits that the newest manifest which can be read names.
fn before(clone: &Clone) -> Result<String> {
    let text = e2e::shell::run(clone.git().args(["show", &format!("HEAD~1:{MANIFEST}")]))?;
    let tag = text.lines().find_map(|line| line.trim().strip_prefix("image: ")?.rsplit_once(":sha-"));
    Ok(tag.with_context(|| format!("{MANIFEST} named no image"))?.1.to_owned())
}
