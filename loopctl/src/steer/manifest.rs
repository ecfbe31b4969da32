//! k8s/deployment.yaml as text: the line of the image and the hold, changed without touching another byte.
//!
//! The line of the image and the hold are found by the same rules as in .github/scripts, so that a run's bump and a
//! rollback never disagree about what is there. What was meant is compared with what a YAML parser then reads.

use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde_json::{Value, json};

use crate::coordinates::{DEPLOYMENT, HOLD};

/// IMAGE_LINE of .github/scripts/manifest.bash.
static IMAGE_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^( *image: )([^ \n]+):sha-([0-9a-f]{7})$"));
/// HOLD_ANYWHERE of .github/scripts/bump-image.
static HOLD_ANYWHERE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("{HOLD}[\"']?: *[\"']?([^\\]\"'{{}},\\s]*)")));
/// With the comma that parts it from a neighbour within braces.
static HOLD_IN_BRACES: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("[\"']?{HOLD}[\"']?: *(\"[^\"]*\"|'[^']*'|[^,}}]*)(, *)?")));

#[expect(clippy::expect_used, reason = "the patterns are constants")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// The image's name without its tag, and the seven digits of the revision that the tag names.
pub fn image(text: &str) -> Result<(String, String)> {
    let mut found = IMAGE_LINE.captures_iter(text);
    match (found.next(), found.next()) {
        (Some(line), None) => Ok((line[2].to_owned(), line[3].to_owned())),
        _ => bail!("{DEPLOYMENT} must have exactly one line of the form 'image: NAME:sha-<7 hex digits>'"),
    }
}

/// The revision that the hold names as bad; None when nothing is held.
pub fn hold(text: &str) -> Option<String> {
    let before_comment = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    text.lines().find_map(|line| Some(HOLD_ANYWHERE.captures(&before_comment(line))?[1].to_owned()))
}

/// The manifest with the tag of `good`, held because of `bad`.
pub fn roll_back(text: &str, good: &str, bad: &str) -> Result<String> {
    let (name, _) = image(text)?;
    let line = IMAGE_LINE.replace(text, format!("${{1}}{name}:sha-{good}"));
    let after = with_hold(&without_hold(&line), bad)?;
    let mut expected = parsed(text)?;
    expected["spec"]["template"]["spec"]["containers"][0]["image"] = format!("{name}:sha-{good}").into();
    set(&mut expected, Some(bad));
    verified(after, &expected)
}

/// The manifest without its hold.
pub fn lift(text: &str) -> Result<String> {
    let mut expected = parsed(text)?;
    set(&mut expected, None);
    verified(without_hold(text), &expected)
}

/// The same change to what the parser has read.
fn set(manifest: &mut Value, hold: Option<&str>) {
    let annotations = &mut manifest["metadata"]["annotations"];
    if annotations.is_null() {
        *annotations = json!({});
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove(HOLD);
        if let Some(bad) = hold {
            annotations.insert(HOLD.to_owned(), bad.into());
        }
    }
}

fn parsed(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).with_context(|| format!("{DEPLOYMENT} is not valid YAML"))
}

/// A file may be laid out in a way that the edits below do not expect: then nothing is written.
fn verified(after: String, expected: &Value) -> Result<String> {
    let mut found = parsed(&after).context("after the edit")?;
    if found["metadata"]["annotations"].is_null() {
        found["metadata"]["annotations"] = json!({});
    }
    if found != *expected {
        bail!(
            "{DEPLOYMENT} is laid out in a way that cannot be edited safely, so nothing was changed; \
             edit it by hand: the image's tag, and metadata.annotations.\"{HOLD}\""
        );
    }
    Ok(after)
}

fn with_hold(text: &str, bad: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let block = metadata(&lines).with_context(|| format!("{DEPLOYMENT} has no block `metadata:`"))?;
    let indent = indent(lines[block.start]);
    let entry = |indent: usize| format!("{:indent$}{HOLD}: \"{bad}\"\n", "");
    let at = block.clone().find(|at| indent_is(lines[*at], indent) && lines[*at].trim().starts_with("annotations:"));
    let Some(at) = at else {
        let last = block.rev().find(|at| says_something(lines[*at])).unwrap_or_default();
        let added = format!("{:indent$}annotations:\n{}", "", entry(indent + 2));
        return Ok(lines[..=last].concat() + &added + &lines[last + 1..].concat());
    };
    let line = lines[at];
    if let Some((before, rest)) = line.split_once('{') {
        let comma = if rest.trim_start().starts_with('}') { "" } else { ", " };
        let line = format!("{before}{{{HOLD}: \"{bad}\"{comma}{rest}");
        return Ok(lines[..at].concat() + &line + &lines[at + 1..].concat());
    }
    let neighbour = lines[at + 1..block.end].iter().find(|line| says_something(line));
    let deeper = neighbour.map(|line| self::indent(line)).filter(|deeper| *deeper > indent);
    Ok(lines[..=at].concat() + &entry(deeper.unwrap_or(indent + 2)) + &lines[at + 1..].concat())
}

fn without_hold(text: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let held = line.split('#').next().is_some_and(|line| HOLD_ANYWHERE.is_match(line));
        if !held {
            kept.push(line.to_owned());
        } else if line.contains('{') {
            let rest = HOLD_IN_BRACES.replace(line, "");
            kept.push(rest.replace(", }", "}"));
        } else if let Some(parent) = kept.last().filter(|line| line.trim() == "annotations:") {
            // It was the only one: the line above it would be left without any.
            let next = lines.clone().find(|line| says_something(line));
            let is_last = next.is_none_or(|next| indent(next) <= indent(parent));
            if is_last {
                kept.pop();
            }
        }
    }
    kept.concat()
}

/// The lines below `metadata:` that belong to it.
fn metadata(lines: &[&str]) -> Option<std::ops::Range<usize>> {
    let says_metadata = |line: &&str| line.split('#').next().is_some_and(|line| line.trim_end() == "metadata:");
    let begin = lines.iter().position(says_metadata)? + 1;
    let begin = begin + lines[begin..].iter().position(|line| says_something(line))?;
    let length = lines[begin..].iter().position(|line| says_something(line) && indent(line) == 0);
    let block = begin..length.map_or(lines.len(), |length| begin + length);
    (!block.is_empty()).then_some(block)
}

fn says_something(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn indent_is(line: &str, wanted: usize) -> bool {
    says_something(line) && indent(line) == wanted
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
