//! What the branch's history says about deploys: which image was wanted since when, by whose decision, and until when.

pub mod dora;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::git::history::{Commit, Manifest};
use crate::git::log::{Entry, Kind};
use crate::manifest;

/// One commit of the branch after which another image was wanted, or a hold began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deploy {
    pub what: What,
    pub commit: String,
    pub subject: String,
    pub at: Timestamp,
    /// `sha-` and seven digits: the image that is wanted from here on.
    pub tag: String,
    /// When the next one took its place; none for the newest.
    pub until: Option<Timestamp>,
    /// The commit that the image was built of, where this history has it.
    pub source: Option<Source>,
    /// The revision that was taken back.
    pub bad: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub commit: String,
    pub subject: String,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The workflow has written a newer image.
    Bump,
    /// An image of before is wanted again.
    Rollback,
    /// A hold was lifted; the image is as it was.
    Resume,
    /// A hold began, and the image is as it was.
    Hold,
    /// Somebody wrote the image by hand.
    ByHand,
}

/// What one state of the manifest wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    tag: String,
    /// The revision that a hold calls bad.
    hold: Option<String>,
}

impl Wanted {
    /// None where it cannot be read.
    pub fn of(file: &str, manifest: &Manifest) -> Option<Self> {
        let image = manifest::image(file, &manifest.text).ok()?;
        let hold = manifest::hold(&manifest.text).map(|hold| hold.bad);
        Some(Self { tag: format!("sha-{}", image.revision), hold })
    }
}

/// From the manifest's history, the newest first, with what each state wants, and the branch's own; the newest first as
/// well.
pub fn deploys(manifests: &[(&Commit, Wanted)], branch: &[Entry]) -> Vec<Deploy> {
    let by_id: HashMap<&str, &Entry> = branch.iter().map(|entry| (entry.commit.id.as_str(), entry)).collect();
    let mut found: Vec<Deploy> = Vec::new();
    let mut before: Option<(String, Option<String>)> = None;
    for (commit, Wanted { tag, hold }) in manifests.iter().rev() {
        let (tag, hold) = (tag.clone(), hold.clone());
        let known = by_id.get(commit.id.as_str()).map(|entry| &entry.kind);
        let is_other = before.as_ref().is_none_or(|(old, _)| *old != tag);
        let was_held = before.as_ref().and_then(|(_, hold)| hold.clone());
        let what = match (is_other, known) {
            (true, Some(Kind::Bump { .. })) => Some(What::Bump),
            (true, _) if hold.is_some() && hold != was_held => Some(What::Rollback),
            (true, _) if before.is_some() => Some(What::ByHand),
            (false, _) if was_held.is_some() && hold.is_none() => Some(What::Resume),
            (false, _) if was_held.is_none() && hold.is_some() => Some(What::Hold),
            _ => None,
        };
        let first = before.is_none();
        before = Some((tag.clone(), hold.clone()));
        // The oldest one that is known has replaced something that is not.
        let Some(what) = what.filter(|_| !first || matches!(known, Some(Kind::Bump { .. }))) else { continue };
        if is_other && let Some(last) = found.iter_mut().rfind(|deploy| deploy.what.is_of_an_image()) {
            last.until = Some(commit.at);
        }
        let source = source(&tag, branch);
        let Commit { id, subject, at } = (*commit).clone();
        let bad =
            hold.filter(|_| matches!(what, What::Rollback | What::Hold)).or(was_held.filter(|_| what == What::Resume));
        found.push(Deploy { what, commit: id, subject, at, tag, until: None, source, bad });
    }
    found.reverse();
    found
}

impl What {
    pub fn is_of_an_image(self) -> bool {
        matches!(self, Self::Bump | Self::Rollback | Self::ByHand)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Bump => "bump",
            Self::Rollback => "rollback",
            Self::Resume => "resume",
            Self::Hold => "hold",
            Self::ByHand => "by hand",
        }
    }
}

fn source(tag: &str, branch: &[Entry]) -> Option<Source> {
    let digits = tag.strip_prefix("sha-")?;
    let entry = branch.iter().find(|entry| entry.commit.id.starts_with(digits))?;
    let Commit { id, subject, at } = entry.commit.clone();
    Some(Source { commit: id, subject, at })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(30_000_000 + minutes)
    }

    fn commit(digit: char, subject: &str, minutes: i64) -> Commit {
        Commit { id: digit.to_string().repeat(40), subject: subject.into(), at: at(minutes) }
    }

    fn entry(digit: char, subject: &str, minutes: i64, kind: Kind) -> Entry {
        Entry { commit: commit(digit, subject, minutes), author: "Ann".into(), kind }
    }

    fn manifest(digit: char, minutes: i64, tag: &str, hold: &str) -> Manifest {
        let annotations =
            if hold.is_empty() { String::new() } else { format!("  annotations:\n    delivery.a/hold: \"{hold}\"\n") };
        let text = format!(
            "kind: Deployment\nmetadata:\n  name: a\n{annotations}spec:\n  template:\n    spec:\n      containers:\n        - name: a\n          image: a/b:{tag}\n"
        );
        Manifest { commit: commit(digit, "A commit", minutes), text }
    }

    #[test]
    fn the_history_of_the_manifest_tells_each_deploy_and_how_long_it_was_wanted() {
        let bump = |of: char| Kind::Bump { of: of.to_string().repeat(40) };
        let branch = [
            entry('8', "Lift", 50, Kind::Steered),
            entry('7', "Roll back", 40, Kind::Steered),
            entry('6', "bump", 35, bump('5')),
            entry('5', "Second", 30, Kind::Source),
            entry('4', "bump", 25, bump('3')),
            entry('3', "First", 20, Kind::Source),
        ];
        let manifests = [
            manifest('9', 60, "sha-abcdef0", ""),
            manifest('8', 50, "sha-3333333", ""),
            manifest('7', 40, "sha-3333333", "5555555"),
            manifest('6', 35, "sha-5555555", ""),
            manifest('4', 25, "sha-3333333", ""),
            // Before it there was another one, which nobody knows any more.
            manifest('1', 10, "sha-0000000", ""),
        ];
        let wanted: Vec<(&Commit, Wanted)> =
            manifests.iter().filter_map(|each| Some((&each.commit, Wanted::of("file", each)?))).collect();
        let found = deploys(&wanted, &branch);
        let told: Vec<String> = found
            .iter()
            .map(|deploy| {
                let until = deploy.until.map_or(-1, |until| (until.as_second() - at(0).as_second()) / 60);
                let source = deploy.source.as_ref().map_or("-", |source| &source.subject);
                let bad = deploy.bad.as_deref().unwrap_or("-");
                format!("{} {} until {until} of {source} bad {bad}", deploy.what.word(), deploy.tag)
            })
            .collect();
        assert_eq!(
            told,
            [
                "by hand sha-abcdef0 until -1 of - bad -",
                "resume sha-3333333 until -1 of First bad 5555555",
                "rollback sha-3333333 until 60 of First bad 5555555",
                "bump sha-5555555 until 40 of Second bad -",
                "bump sha-3333333 until 35 of First bad -",
            ]
        );
    }
}
