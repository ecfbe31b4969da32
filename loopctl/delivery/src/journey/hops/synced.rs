//! Whether Argo CD has applied the commit, and if not, what keeps it from that.

use super::Look;
use crate::cluster::application::Application;
use crate::coordinates::short;
use crate::journey::answer::{Hop, HopState};
use crate::journey::argocd::{errors, first_sync, not_by_itself, remarks, stopped};
use crate::journey::facts::Facts;

pub const NAME: &str = "synced";
/// Of a sync that fails for many objects: the first ones tell enough.
const FAILURES: usize = 3;

pub fn look(facts: &Facts) -> Look {
    match &facts.application {
        Err(reason) => Look::at(Hop::new(NAME, HopState::Unseen, "").because([reason.clone()])),
        Ok(Some(application)) if facts.branch.is_ok() => Look::at(synced(facts, application)),
        Ok(_) => Look::nothing(),
    }
}

fn synced(facts: &Facts, application: &Application) -> Hop {
    let status = &application.status;
    let is_latest = status.history.last().is_some_and(|entry| facts.containing.contains(&entry.revision));
    let is_synced = status.sync.status == "Synced";
    if is_latest || is_synced {
        if let Some((_, deployed)) = first_sync(facts, application) {
            return Hop::new(NAME, HopState::Done, "").at(deployed);
        }
        let is_remembered = status.history.iter().any(|entry| facts.containing.contains(&entry.revision));
        let when = if is_remembered { "longer ago than Argo CD remembers" } else { "nothing to apply" };
        return Hop::new(NAME, HopState::Done, when);
    }
    let mut reasons = stopped(facts, application);
    let operation = status.operation_state.as_ref();
    let operation = operation.filter(|operation| facts.containing.contains(operation.revision()));
    let fails = operation.filter(|it| matches!(it.phase.as_str(), "Failed" | "Error") || it.retry_count > 0);
    let mut errors = errors(application);
    if let Some(operation) = fails {
        // A condition repeats what the sync has said.
        errors.retain(|error| operation.message.is_empty() || !error.contains(&operation.message));
        let failures = operation.failures().filter(|failure| {
            let message = failure.split_once(": ").map_or(failure.as_str(), |(_, message)| message);
            !operation.message.contains(message)
        });
        reasons.push(operation.message.clone());
        reasons.extend(failures.take(FAILURES));
    }
    reasons.extend(errors);
    let detail = if fails.is_some() { "the sync fails".into() } else { format!("Argo CD says {}", status.sync.status) };
    let is_running = operation.is_some_and(|operation| operation.phase == "Running");
    if !is_running {
        reasons.extend(not_by_itself(facts, application));
    }
    if reasons.is_empty() {
        let says = operation.filter(|_| is_running).map(|operation| operation.message.clone());
        let says = says.filter(|message| !message.is_empty()).or_else(|| in_front(facts, application));
        return Hop::new(NAME, HopState::Moving, detail).because(says).because(remarks(facts, application));
    }
    Hop::new(NAME, HopState::Stuck, detail).because(reasons)
}

/// A sync of another revision that has failed is tried again first, up to a minute later.
fn in_front(facts: &Facts, application: &Application) -> Option<String> {
    let operation = application.status.operation_state.as_ref()?;
    let is_in_front = operation.phase == "Running" && !facts.containing.contains(operation.revision());
    let revision = short(operation.revision());
    is_in_front.then(|| format!("the sync of {revision} is in front of it: {}", operation.message))
}
