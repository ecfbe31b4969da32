//! What git says about a commit's delivery. The order of the questions is that of .github/scripts/bump-image.

use anyhow::Result;
use serde_json::Value;

use super::facts::{Branch, Build, Hold, Newest, Relation};
use crate::coordinates::{Coordinates, DEPLOYMENT, HOLD, split_image, tag_of};
use crate::git::Git;
use crate::git::history::{Commit, Manifest};

/// What one state of k8s/deployment.yaml says.
struct Said {
    image: String,
    tag: String,
    hold: Option<Hold>,
}

pub fn look(git: &Git, coordinates: &Coordinates, commit: &Commit, tip: &str) -> Result<Branch> {
    let name = coordinates.branch.clone();
    let now = said(&git.file(tip, DEPLOYMENT)?.unwrap_or_default())?;
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
        });
    }
    let arrived = git.arrived_with(&commit.id, tip)?;
    let source = if arrived == commit.id { commit.clone() } else { git.commit(&arrived)? };
    let tag = tag_of(&source.id);
    let manifests = git.manifests(&source.id, tip)?;
    let tags: Vec<Option<String>> = manifests.iter().map(|manifest| quick_tag(&manifest.text)).collect();
    let writer = |wanted: &str| writer(&manifests, &tags, wanted);
    let at_source = said(&git.file(&source.id, DEPLOYMENT)?.unwrap_or_default())?;
    let build = build(git, coordinates, &source.id, &at_source)?;
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
    Ok(Branch {
        name,
        tip: tip.to_owned(),
        source: Some(source),
        build,
        bump,
        newest: newest(relation, by),
        hold: now.hold,
        taken_back_by,
    })
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
fn writer(manifests: &[Manifest], tags: &[Option<String>], wanted: &str) -> Option<Commit> {
    let has = |at: usize| tags.get(at).and_then(Option::as_deref) == Some(wanted);
    let last = (0..manifests.len()).rev().find(|at| has(*at))?;
    let first = (0..=last).rev().take_while(|at| has(*at)).last()?;
    manifests.get(first).map(|manifest| manifest.commit.clone())
}

/// Of many manifests only the tag is wanted, and reading YAML takes its time.
fn quick_tag(manifest: &str) -> Option<String> {
    let image = manifest.lines().find_map(|line| line.trim().strip_prefix("image:"))?;
    Some(split_image(image.trim()).ok()?.1)
}

/// With its tag.
pub fn image_in(manifest: &str) -> Result<String> {
    let said = said(manifest)?;
    Ok(format!("{}:{}", said.image, said.tag))
}

fn said(manifest: &str) -> Result<Said> {
    let value: Value = serde_saphyr::from_str(manifest)?;
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (image, tag) = split_image(text("/spec/template/spec/containers/0/image"))?;
    let hold = value["metadata"]["annotations"].get(HOLD);
    let bad_revision = |hold: &Value| hold.as_str().map_or_else(|| hold.to_string(), str::to_owned);
    Ok(Said { image, tag, hold: hold.map(|hold| Hold { bad_revision: bad_revision(hold) }) })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn check(tags: &[&str], wanted: &str, expected: Option<usize>) {
        let commit = |at: usize| Commit { id: at.to_string(), subject: String::new(), at: Timestamp::UNIX_EPOCH };
        let manifests: Vec<Manifest> = tags
            .iter()
            .enumerate()
            .map(|(at, tag)| Manifest { commit: commit(at), text: format!("      image: ghcr.io/a/b:{tag}\n") })
            .collect();
        let quick: Vec<Option<String>> = manifests.iter().map(|manifest| quick_tag(&manifest.text)).collect();
        let found = writer(&manifests, &quick, wanted).map(|commit| commit.id);
        assert_eq!(found, expected.map(|at| at.to_string()), "{wanted} in {tags:?}");
    }

    #[test]
    fn a_tag_was_written_by_the_commit_that_put_it_in_last() {
        check(&["a", "b", "b", "c"], "b", Some(1));
        check(&["a", "b", "a", "a"], "a", Some(2));
        check(&["a"], "b", None);
    }

    #[test]
    fn the_hold_is_an_annotation_with_the_bad_revision() {
        let manifest = "metadata: {annotations: {delivery.argo-rust/hold: \"b920bd3\"}}\n\
                        spec: {template: {spec: {containers: [{image: \"ghcr.io/a/b:sha-1234567\"}]}}}\n";
        let said = said(manifest).expect("it is a manifest");
        assert_eq!(said.hold.map(|hold| hold.bad_revision).as_deref(), Some("b920bd3"));
        assert_eq!((said.image.as_str(), said.tag.as_str()), ("ghcr.io/a/b", "sha-1234567"));
    }
}
