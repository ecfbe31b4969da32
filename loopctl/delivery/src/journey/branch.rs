//! What git says about a commit's delivery. The order of the questions is that of .github/scripts/bump-image.

use anyhow::{Context, Result};

use super::facts::{Branch, Build, Newest, Relation};
use crate::coordinates::{Coordinates, tag_of};
use crate::git::Git;
use crate::git::history::{Commit, Manifest};
use crate::manifest::{self, Hold};

/// What one state of the manifest says.
struct Said {
    image: String,
    tag: String,
    hold: Option<Hold>,
}

pub fn look(git: &Git, coordinates: &Coordinates, commit: &Commit, tip: &str) -> Result<Branch> {
    git.require_whole()?;
    let name = coordinates.branch.clone();
    let file = &coordinates.files.deployment();
    let now = git.manifest(tip)?.with_context(|| {
        format!("branch {name} has no {file}, for which Argo CD deletes the Deployment: put it back")
    })?;
    let now = said(file, &now)?;
    let newest = |relation, by| Newest { tag: now.tag.clone(), relation, by };
    if !git.is_ancestor(&commit.id, tip)? {
        let newest = newest(Relation::Older, None);
        let hold = now.hold;
        return Ok(Branch {
            name,
            tip: tip.to_owned(),
            source: None,
            build: Build::Needed,
            bump: None,
            newest,
            hold,
            taken_back_by: None,
            taken_over_as: git.taken_over_as(&commit.id, tip)?,
            skips_runs: None,
        });
    }
    let arrived = git.arrived_with(&commit.id, tip)?;
    let source = if arrived == commit.id { commit.clone() } else { git.commit(&arrived)? };
    let tag = tag_of(&source.id);
    let manifests = git.manifests(&source.id, tip)?;
    let writer = |wanted: &str| writer(file, &manifests, wanted);
    let build = match said(file, &git.manifest(&source.id)?.unwrap_or_default()) {
        Ok(at_source) => build(git, coordinates, &source.id, &at_source)?,
        // image-changed has ended with the same error, which its run says.
        Err(_) => Build::Needed,
    };
    let bump = writer(&tag);
    let relation = if now.tag == tag {
        Relation::Own
    } else {
        let newer = git.named_by(&now.tag, &format!("{}..{tip}", source.id))?;
        match newer.first() {
            Some(newer) => Relation::Newer(git.commit(newer)?),
            None => Relation::Older,
        }
    };
    let mut taken_back_by = None;
    if relation == Relation::Older
        && build == Build::Needed
        && bump.is_none()
        && let [deployed] = git.named_by(&now.tag, tip)?.as_slice()
        && let Some(by) = git.taken_back_by(&source.id, deployed, tip)?
    {
        taken_back_by = Some(git.commit(&by)?);
    }
    let by = writer(&now.tag);
    // GitHub reads the message of the newest commit of a push alone.
    let message = if source.id == tip { git.message(&source.id)? } else { String::new() };
    Ok(Branch {
        name,
        tip: tip.to_owned(),
        source: Some(source),
        build,
        bump,
        newest: newest(relation, by),
        hold: now.hold,
        taken_back_by,
        taken_over_as: None,
        skips_runs: skips_runs(&message),
    })
}

/// What GitHub reads in a commit's message as a wish that no workflow runs.
fn skips_runs(message: &str) -> Option<String> {
    const WORDS: [&str; 5] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];
    let lower = message.to_lowercase();
    let word = WORDS.into_iter().find(|word| lower.contains(word));
    let trailer = || {
        let mut lines = message.trim_end().rsplit("\n\n").next()?.lines();
        lines.find(|line| line.to_lowercase().replace(' ', "") == "skip-checks:true").map(str::to_owned)
    };
    word.map(str::to_owned).or_else(trailer)
}

/// The same decision as .github/scripts/image-changed takes for the commit.
fn build(git: &Git, coordinates: &Coordinates, source: &str, manifest: &Said) -> Result<Build> {
    if manifest.image != coordinates.image {
        return Ok(Build::Needed);
    }
    let named = git.named_by(&manifest.tag, source)?;
    let [deployed] = named.as_slice() else { return Ok(Build::Needed) };
    let same = git.same_inputs(deployed, source)?;
    Ok(if same { Build::NotNeeded(manifest.tag.clone()) } else { Build::Needed })
}

/// The last commit that put the tag in: the one after which it was there and before which it was not.
fn writer(file: &str, manifests: &[Manifest], wanted: &str) -> Option<Commit> {
    // Of hundreds only those are read that have the tag somewhere.
    let has = |at: usize| {
        let text = manifests.get(at).map_or("", |manifest| &manifest.text);
        text.contains(wanted) && tag_in(file, text).as_deref() == Some(wanted)
    };
    let last = (0..manifests.len()).rev().find(|at| has(*at))?;
    let first = (0..=last).rev().take_while(|at| has(*at)).last()?;
    manifests.get(first).map(|manifest| manifest.commit.clone())
}

fn tag_in(file: &str, manifest: &str) -> Option<String> {
    Some(said(file, manifest).ok()?.tag)
}

/// With its tag.
pub fn image_in(file: &str, manifest: &str) -> Result<String> {
    let said = said(file, manifest)?;
    Ok(format!("{}:{}", said.image, said.tag))
}

fn said(file: &str, manifest: &str) -> Result<Said> {
    let image = manifest::image(file, manifest)?;
    Ok(Said { image: image.name, tag: format!("sha-{}", image.revision), hold: manifest::hold(manifest) })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn check(digits: &[char], wanted: char, expected: Option<usize>) {
        let commit = |at: usize| Commit { id: at.to_string(), subject: String::new(), at: Timestamp::UNIX_EPOCH };
        let tag = |digit: char| format!("sha-{}", digit.to_string().repeat(7));
        let text = |digit: char| {
            format!(
                "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - image: a/b:{}\n",
                tag(digit)
            )
        };
        let manifests: Vec<Manifest> =
            digits.iter().enumerate().map(|(at, digit)| Manifest { commit: commit(at), text: text(*digit) }).collect();
        let found = writer("file", &manifests, &tag(wanted)).map(|commit| commit.id);
        assert_eq!(found, expected.map(|at| at.to_string()), "{wanted} in {digits:?}");
    }

    #[test]
    fn a_message_keeps_runs_away_wherever_it_says_so() {
        for (message, expected) in [
            ("ci: update image [skip ci]", Some("[skip ci]")),
            ("Docs\n\nNothing to build. [CI SKIP]", Some("[ci skip]")),
            ("Docs [no ci]", Some("[no ci]")),
            ("Docs\n\nskip-checks: true\n", Some("skip-checks: true")),
            ("Docs\n\nskip-checks: true\n\nmore", None),
            ("Skip ci for once", None),
        ] {
            assert_eq!(skips_runs(message).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn a_tag_was_written_by_the_commit_that_put_it_in_last() {
        check(&['a', 'b', 'b', 'c'], 'b', Some(1));
        check(&['a', 'b', 'a', 'a'], 'a', Some(2));
        check(&['a'], 'b', None);
    }
}
