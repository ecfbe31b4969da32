//! Neither the newest manifest nor any before it names the commit's image: what the workflow does about that.

use super::answer::{Hop, HopState};
use super::facts::{Branch, Facts, Relation, RunState};
use super::hops::pods;

/// Either tells: the image, or the manifest that names it.
pub fn is_built(facts: &Facts, branch: &Branch) -> bool {
    matches!(facts.digest, Ok(Some(_))) || branch.bump.is_some()
}

/// Nobody has decided for another image.
pub fn is_for_the_workflow(branch: &Branch) -> bool {
    let was_taken_back = branch.bump.is_some() && branch.newest.by.is_some();
    branch.newest.relation == Relation::Older
        && branch.hold.is_none()
        && !was_taken_back
        && branch.taken_back_by.is_none()
}

pub fn hop(facts: &Facts, name: &'static str, is_built: bool) -> Hop {
    let is_newest = facts.branch.as_ref().is_ok_and(|branch| branch.tip == facts.built_as().id);
    let skips = facts.branch.as_ref().ok().and_then(|branch| branch.skips_runs.as_deref());
    let (state, detail, reason) = match &facts.run {
        Ok(Some(run)) if run.state == RunState::Failed => {
            let what =
                if is_built { "the workflow failed, so the image is not deployed" } else { "the workflow failed" };
            (HopState::Failed, what.to_owned(), vec![format!("see {}", run.look)])
        }
        Ok(Some(run)) if run.state == RunState::Running => {
            (HopState::Moving, format!("the workflow runs: {}", run.look), vec![])
        }
        Ok(Some(run)) => {
            let why = format!("the workflow has ended without writing the tag: see {}", run.look);
            (HopState::Stuck, "not bumped".to_owned(), vec![why])
        }
        Ok(None) | Err(_) if is_newest && skips.is_some() => {
            let words = skips.unwrap_or_default();
            let why = format!("its message says {words}: push a commit that says nothing of the kind");
            (HopState::Stuck, "no run of the workflow will come".to_owned(), vec![why])
        }
        Ok(None) if is_newest => (HopState::Moving, "no run of the workflow yet".to_owned(), vec![]),
        Ok(None) => {
            let what = "no run of its own: it was pushed together with a newer commit, or waits for one that is built";
            (HopState::Moving, what.to_owned(), vec![])
        }
        Err(reason) => {
            let detail = if is_built { "the tag is not written yet" } else { "not built yet" };
            (HopState::Moving, detail.to_owned(), vec![format!("the workflow could not be seen: {reason}")])
        }
    };
    Hop::new(name, state, detail).because(reason)
}

/// The pods of the revision that is deployed instead, where something is in their way: it may be in this one's too.
pub fn meanwhile(facts: &Facts) -> Option<Hop> {
    let rollout = facts.serving.rollout.as_ref().ok()?.as_ref()?;
    let pods = pods::pods(facts.now, rollout);
    let is_in_trouble = matches!(pods.state, HopState::Stuck | HopState::Failed) && !pods.reason.is_empty();
    let detail = format!("meanwhile {} of {}", pods.detail, rollout.workload.image);
    is_in_trouble.then(|| Hop::new(pods::NAME, HopState::Waiting, detail).because(pods.reason))
}
