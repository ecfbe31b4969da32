//! Watches one rollout until it has ended, by itself or by the deadline.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::time::Instant;

use super::branch::Branch;
use super::follow::{Applied, Followed, Reason, Verdict, verdict};
use crate::access::NoAccess;
use crate::cluster::application::Application;
use crate::coordinates::short;
use crate::handle::Delivery;
use crate::journey::kept::FAR;
use crate::watcher::{LOOK, Look, Watched, Watcher};

/// Whoever has never answered in so many looks will not by waiting.
const PATIENCE: u32 = 3;

#[derive(Debug)]
pub enum End {
    Live,
    Failed(Reason),
    NotApplied(String),
    Stopped(String),
    MovedOn(String),
    Held(String),
}

/// The branch at the beginning; git may fail once.
pub async fn begin(delivery: &Delivery, watcher: &Watcher) -> Result<(Branch, Followed)> {
    let mut failed = 0;
    let watched = watcher.watch(async || match delivery.followed().await {
        Ok(found) => Look::End(Ok(found)),
        Err(error) => patience(&mut failed, error),
    });
    match watched.await {
        Watched::End(outcome) | Watched::Time(Some(outcome)) => outcome,
        Watched::Time(None) => Err(NoAccess(format!("{} has not answered", delivery.remote.address)).into()),
    }
}

fn patience<T>(failed: &mut u32, error: anyhow::Error) -> Look<Result<T>> {
    *failed += 1;
    if *failed >= PATIENCE { Look::End(Err(error)) } else { Look::Yet(Err(error)) }
}

/// What is known by now, over all looks.
struct Watch<'a> {
    delivery: &'a Delivery,
    watcher: &'a Watcher,
    revision: String,
    followed: Followed,
    said: String,
    /// When a look was last through, if one ever was.
    seen: Option<Instant>,
    failed: u32,
    asked: Instant,
}

pub async fn watch(delivery: &Delivery, branch: &Branch, followed: Followed, watcher: &Watcher) -> Result<End> {
    let (revision, said, asked) = (branch.revision.clone(), String::new(), Instant::now());
    let mut watch = Watch { delivery, watcher, revision, followed, said, seen: None, failed: 0, asked };
    let watched = watcher.watch(async || watch.look().await).await;
    let last = match watched {
        Watched::End(outcome) => return outcome.map(|verdict| end(verdict, None)),
        // What was seen long ago may not be so any more, and nothing is taken back because of it.
        Watched::Time(Some(outcome)) if watch.seen.is_some_and(|seen| seen.elapsed() <= LOOK) => outcome?,
        Watched::Time(Some(Err(error))) => return Err(error),
        Watched::Time(_) => Seen::Verdict(Verdict::Unseen("nobody has answered any more".to_owned())),
    };
    match last {
        Seen::Verdict(Verdict::Unseen(why)) => {
            Err(NoAccess(format!("what became of it could not be seen: {why}")).into())
        }
        last => Ok(end(last, Some(watcher.elapsed()))),
    }
}

enum Seen {
    Verdict(Verdict),
    MovedOn(String),
    Held(String),
}

impl Watch<'_> {
    async fn look(&mut self) -> Look<Result<Seen>> {
        if self.asked.elapsed() >= FAR {
            self.asked = Instant::now();
            match self.delivery.followed().await {
                Ok((newest, _)) if newest.revision != self.revision => {
                    return Look::End(Ok(Seen::MovedOn(newest.revision)));
                }
                Ok((Branch { hold: Some(bad), .. }, _)) => return Look::End(Ok(Seen::Held(bad))),
                Ok((_, followed)) => self.followed = followed,
                Err(error) => self.say(&format!("{error:#}")),
            }
        }
        let now = match self.judge().await {
            Ok(verdict) => verdict,
            Err(error) if self.seen.is_none() => return patience(&mut self.failed, error),
            Err(error) => {
                self.say(&format!("{error:#}"));
                return Look::Yet(Err(error));
            }
        };
        self.seen = Some(Instant::now());
        let (is_end, text) = match &now {
            Verdict::Live | Verdict::Failed(_) => (true, ""),
            Verdict::NotApplied(text) | Verdict::Stopped(text) | Verdict::Unseen(text) => (false, text.as_str()),
            Verdict::Rolling(reason) => (false, reason.text.as_str()),
        };
        if !text.is_empty() {
            self.say(text);
        }
        let seen = Ok(Seen::Verdict(now));
        if is_end { Look::End(seen) } else { Look::Yet(seen) }
    }

    async fn judge(&self) -> Result<Verdict> {
        let names = &self.delivery.names;
        let (serving, application) =
            futures_util::future::join(self.delivery.serving(), self.delivery.application()).await;
        let serving = serving.with_any_tag();
        let rollout = serving.rollout.as_ref().map_err(|reason| anyhow!(NoAccess(reason.clone())))?;
        let Some(rollout) = rollout else {
            return Ok(Verdict::NotApplied(format!("there is no Deployment {}", names.deployment)));
        };
        let applied = match application {
            Err(reason) => Applied::Unseen(reason),
            Ok(None) => Applied::No(format!("there is no Application {}", names.application)),
            Ok(Some(application)) => self.applied(application).await?,
        };
        Ok(verdict(&serving, rollout, &self.followed, applied))
    }

    async fn applied(&self, application: Application) -> Result<Applied> {
        let (git, commit) = (Arc::clone(&self.delivery.git), self.followed.commit.clone());
        let work = move || {
            // A revision that this clone has not got is newer than its last look at the branch, or of another branch.
            let has = |revision: &str| !revision.is_empty() && git.is_ancestor(&commit, revision).unwrap_or(false);
            applied(&commit, &application, has)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| anyhow!("git: {error}"))
    }

    fn say(&mut self, text: &str) {
        if text != self.said {
            eprintln!("{:>6.1} s  {text}", self.watcher.elapsed().as_secs_f64());
            text.clone_into(&mut self.said);
        }
    }
}

/// `has` says whether a revision has the commit in its history.
fn applied(commit: &str, application: &Application, has: impl Fn(&str) -> bool) -> Applied {
    let status = &application.status;
    let is_compared = has(&status.sync.revision);
    if is_compared && status.sync.status == "Synced" || status.history.iter().any(|entry| has(&entry.revision)) {
        return Applied::Yes;
    }
    let seen = match (is_compared, status.sync.revision.as_str()) {
        (true, _) => format!("says {} of it", status.sync.status),
        (false, "") => "has compared no revision yet".to_owned(),
        (false, revision) => format!("is at revision {}", short(revision)),
    };
    let error = status.conditions.iter().find(|condition| condition.kind.ends_with("Error"));
    let error = error.map(|condition| format!("; {}: {}", condition.kind, condition.message)).unwrap_or_default();
    Applied::No(format!("Argo CD has not synced {} yet: it {seen}{error}", short(commit)))
}

/// `late` is how long it took when the time is over.
fn end(seen: Seen, late: Option<Duration>) -> End {
    match seen {
        Seen::MovedOn(to) => End::MovedOn(to),
        Seen::Held(bad) => End::Held(bad),
        Seen::Verdict(Verdict::Live) => End::Live,
        Seen::Verdict(Verdict::Failed(reason)) => End::Failed(reason),
        Seen::Verdict(Verdict::Rolling(reason)) => {
            // Begun seconds count, or a short deadline would be told as none.
            let late = late.unwrap_or_default().as_secs_f64().ceil();
            let late = humantime::format_duration(Duration::from_secs_f64(late));
            End::Failed(Reason { text: format!("not live after {late}: {}", reason.text), ..reason })
        }
        Seen::Verdict(Verdict::Stopped(why)) => End::Stopped(why),
        Seen::Verdict(Verdict::NotApplied(why) | Verdict::Unseen(why)) => End::NotApplied(why),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_commit_is_applied_when_argo_cd_has_synced_a_revision_that_has_it() {
        let check = |sync: &str, revision: &str, history: &[&str], expected: Option<&str>| {
            let history: Vec<_> = history.iter().map(|revision| json!({"revision": revision})).collect();
            let status = json!({"sync": {"status": sync, "revision": revision}, "history": history});
            let application: Application = serde_json::from_value(json!({"status": status})).expect("an Application");
            let found = applied("ccccccccc", &application, |revision| revision >= "c");
            let why = expected.map(|why| format!("Argo CD has not synced ccccccc yet: it {why}"));
            assert_eq!(found, why.map_or(Applied::Yes, Applied::No), "{sync} {revision} {history:?}");
        };
        check("Synced", "c", &[], None);
        check("Synced", "d", &[], None);
        check("OutOfSync", "d", &["b", "c"], None);
        check("Synced", "bbbbbbbbb", &["b"], Some("is at revision bbbbbbb"));
        check("OutOfSync", "c", &["b"], Some("says OutOfSync of it"));
        check("Unknown", "", &[], Some("has compared no revision yet"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_failed_look_at_the_beginning_ends_nothing_and_three_do() {
        for (failures, expected) in [(0, true), (1, true), (2, true), (3, false)] {
            let (mut looks, mut failed) = (0, 0);
            let watched = Watcher::new(Some(Duration::from_secs(60)))
                .watch(async || {
                    looks += 1;
                    if looks > failures { Look::End(Ok(())) } else { patience(&mut failed, anyhow!("no answer")) }
                })
                .await;
            assert_eq!(matches!(watched, Watched::End(Ok(()))), expected, "{failures} failures");
        }
    }
}
