//! The documents, walked: what README, CONTRIBUTING and docs/loopctl.md tell a stranger to do is done as it stands.

use std::fs;

use anyhow::{Context, Result, bail};
use e2e::application::AFTER_A_FAILURE;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::runs::Run;
use e2e::walk::document::DOCUMENTS;
use e2e::walk::reader::Reader;
use e2e::walk::{docker, walk};
use e2e::{Loop, shell};

use crate::hops::NextPush;

pub fn whatever_the_documents_ask_for_works_as_it_is_written(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let clone = Clone::of(the_loop)?;
    let live = clone.tag()?;
    the_loop.wait_rolled_out(&live).context("the loop was not at rest when the proof began")?;
    // What is committed here and what the proofs before this one have left there must not be in each other's way.
    clone.become_what_is_checked_out(&the_loop.checkout, &live)?;
    let outcome = as_a_stranger(the_loop, &clone, report);
    let back = put_back(the_loop, &clone, &live).context("while putting the loop back");
    outcome.and(back)
}

fn as_a_stranger(the_loop: &Loop, clone: &Clone, report: &mut Report) -> Result<()> {
    let mut reader = Reader::new(&the_loop.checkout)?;
    wrong_documents_are_noticed(&mut reader, report)?;
    let engine = docker::provide(the_loop, &mut reader)?;
    if let Err(why) = &reader.docker {
        report.skipped(format!("what needs a Docker engine: {why}"));
    }
    // README is the first of them, and tells its reader to push.
    let mut push = Some(NextPush::begin()?);
    for document in DOCUMENTS {
        let text = fs::read_to_string(the_loop.checkout.join(document))?;
        walk(&mut reader, document, &text, &mut |line| report.measured(line))?;
        push.take().map_or(Ok(()), |push| push.end(report))?;
    }
    drop(engine);
    the_newest_commit_is_live(the_loop, clone)
}

/// README's first chapter with a command that does not exist, and with an answer that is not given.
fn wrong_documents_are_noticed(reader: &mut Reader, report: &mut Report) -> Result<()> {
    let readme = fs::read_to_string(reader.clone.join("README.md"))?;
    let (chapter, _) = readme.split_once("\n## ").context("README has more than one chapter")?;
    for (right, wrong) in [("cargo run", "cargo rum"), ("\"result\":55}", "\"result\":56}")] {
        let altered = chapter.replacen(right, wrong, 1);
        ensure(&format!("{right} in README's first chapter"), altered != chapter, "it is not there")?;
        let noticed = walk(reader, "README.md", &altered, &mut |_| ());
        reader.leave_what_serves()?;
        let Err(error) = noticed else { bail!("expected: {wrong} is noticed\nseen: the walk went through") };
        let said = format!("{error:#}").replace('\\', "");
        ensure(
            "an error that names the place and what is wrong",
            said.contains("README.md:") && said.contains(wrong),
            &said,
        )?;
        report.control(format!("with {wrong:?} the walk ended: {}", said.lines().next().unwrap_or_default()));
    }
    Ok(())
}

/// What `resume` has promised.
fn the_newest_commit_is_live(the_loop: &Loop, clone: &Clone) -> Result<()> {
    clone.update()?;
    let (commit, run) = newest_run(the_loop, clone)?.context("the last push of the documents starts a run")?;
    run.wait()?;
    clone.update()?;
    let manifest = clone.read("k8s/deployment.yaml")?;
    ensure("no hold after `resume`", !manifest.contains("delivery.argo-rust/hold"), manifest)?;
    expect("the tag in git after it", clone.tag()?, format!("sha-{}", &commit[..7]))?;
    the_loop.force_sync()?;
    the_loop.wait_rolled_out(&clone.tag()?)?;
    Ok(())
}

/// With the commit that it was for.
fn newest_run(the_loop: &Loop, clone: &Clone) -> Result<Option<(String, Run)>> {
    let log = shell::run(clone.git().args(["log", "--first-parent", "--max-count=5", "--format=%H"]))?;
    for commit in log.lines() {
        if let Some(run) = the_loop.run_of(commit)? {
            return Ok(Some((commit.to_owned(), run)));
        }
    }
    Ok(None)
}

/// The proofs that follow begin with the image that was live, and without what a stranger has written.
fn put_back(the_loop: &Loop, clone: &Clone, live: &str) -> Result<()> {
    clone.update()?;
    if let Some((_, run)) = newest_run(the_loop, clone)?.filter(|(_, run)| !run.has_ended().unwrap_or(true)) {
        // How it ends is of no concern here, but its bump must not come after this.
        drop(run.wait());
        clone.update()?;
    }
    let commit = clone.become_what_is_checked_out(&the_loop.checkout, live)?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, AFTER_A_FAILURE)?;
    the_loop.wait_rolled_out(live)?;
    Ok(())
}
