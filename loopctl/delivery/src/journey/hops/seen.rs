//! Whether Argo CD has seen the commit, and if not, what keeps it from that.

use super::Look;
use crate::cluster::application::Application;
use crate::coordinates::short;
use crate::journey::answer::{Hop, HopState};
use crate::journey::argocd::{elsewhere, errors, first_sync, remarks, stopped};
use crate::journey::facts::Facts;
use crate::journey::since::{more_than, passed};

pub const NAME: &str = "seen";
/// Whoever polls looks every few minutes; Argo CD does so unless it was told otherwise.
const LOOKS: i64 = 600;

pub fn look(facts: &Facts) -> Look {
    Look::at(match &facts.application {
        Ok(None) => {
            let mend =
                if facts.is_stand_in { "`cargo loopctl up` makes it again" } else { "apply argocd/application.yaml" };
            Hop::new(NAME, HopState::Stuck, format!("there is no such Application: {mend}"))
        }
        Err(reason) => Hop::new(NAME, HopState::Unseen, "").because([reason.clone()]),
        // Which revision has the commit is known from git alone.
        Ok(Some(application)) if facts.branch.is_err() => {
            Hop::new(NAME, HopState::Unseen, "").because(errors(application))
        }
        Ok(Some(application)) => seen(facts, application),
    })
}

fn seen(facts: &Facts, application: &Application) -> Hop {
    let status = &application.status;
    let revision = &status.sync.revision;
    let elsewhere = elsewhere(facts, application);
    let runs = facts.runs_the_expected_image();
    // Where its image runs all the same, another folder leads to this one in a way that is not known here.
    if facts.containing.contains(revision) && (runs || application.reads_or_says_nothing(&facts.names.files)) {
        let started = first_sync(facts, application).and_then(|(started, _)| started);
        return Hop::new(NAME, HopState::Done, format!("at revision {}", short(revision))).at(started);
    }
    let mut reasons = stopped(facts, application);
    reasons.extend(elsewhere);
    reasons.extend(errors(application));
    let at =
        if revision.is_empty() { "no revision yet".into() } else { format!("still at revision {}", short(revision)) };
    let looked = status.reconciled_at.map(|at| passed(facts.now, at));
    let ago = looked.filter(|ago| *ago >= 60).map(|ago| format!(", and looked more than {} ago", more_than(ago)));
    let detail = format!("Argo CD is {at}{}", ago.unwrap_or_default());
    let written = facts.branch.as_ref().ok().and_then(|branch| branch.bump.as_ref().or(branch.source.as_ref()));
    let waits = written.map_or(0, |commit| passed(facts.now, commit.at));
    if reasons.is_empty() && looked.is_some_and(|ago| ago.min(waits) > LOOKS) {
        reasons.push("it does not look by itself: `cargo loopctl sync` makes it look now".to_owned());
    }
    if reasons.is_empty() {
        return Hop::new(NAME, HopState::Moving, detail).because(remarks(facts, application));
    }
    Hop::new(NAME, HopState::Stuck, detail).because(reasons)
}
