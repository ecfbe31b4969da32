//! A rollback and its lifting as edits of a service's deployment.yaml, which touch no other byte.
//!
//! The image and the hold are where `crate::manifest` finds them. What was meant is compared with what a YAML parser
//! then reads.

use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde_json::{Value, json};

use crate::coordinates::of_kind;
use crate::manifest::{HOLD, hold, image};

static HOLD_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^[ \\t]*[\"']?{HOLD}[\"']?[ \\t]*:")));
static HOLD_KEY: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{HOLD}$")));
/// With the comma that parts it from a neighbour within braces.
static HOLD_IN_BRACES: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("[\"']?{HOLD}[\"']?[ \\t]*: *(\"[^\"]*\"|'[^']*'|[^,}}]*)(, *)?")));

#[expect(clippy::expect_used, reason = "the patterns are constants")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// The manifest with the tag of `good`, held because of `bad` by the annotation `key`.
pub fn roll_back(file: &str, text: &str, good: &str, bad: &str, key: &str) -> Result<String> {
    let image = image(file, text)?;
    let written = format!("{}:sha-{good}", image.name);
    let edited = text.split_inclusive('\n').enumerate().map(|(at, line)| {
        if at + 1 == image.line { line.replacen(&image.written, &written, 1) } else { line.to_owned() }
    });
    let edited: String = edited.collect();
    let after = with_hold(file, &unheld(file, &edited)?, bad, key)?;
    let mut expected = parsed(file, &edited)?;
    set(&mut expected, Some((key, bad)));
    verified(file, after, &expected)
}

/// The manifest without its hold.
pub fn lift(file: &str, text: &str) -> Result<String> {
    let mut expected = parsed(file, text)?;
    set(&mut expected, None);
    verified(file, unheld(file, text)?, &expected)
}

fn unheld(file: &str, text: &str) -> Result<String> {
    let rest = without_hold(text);
    match hold(&rest) {
        Some(left) => bail!(
            "line {} of {file} may be a hold as well, in a way that is not edited here; edit it by hand",
            left.line
        ),
        None => Ok(rest),
    }
}

/// The same change to what the parser has read.
fn set(documents: &mut [Value], hold: Option<(&str, &str)>) {
    let Some(at) = of_kind(documents, "Deployment") else { return };
    let annotations = &mut documents[at]["metadata"]["annotations"];
    if annotations.is_null() {
        *annotations = json!({});
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.retain(|key, _| !HOLD_KEY.is_match(key));
        if let Some((key, bad)) = hold {
            annotations.insert(key.to_owned(), bad.into());
        }
    }
}

/// As a YAML parser reads it.
pub fn parsed(file: &str, text: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(text).with_context(|| format!("{file} is not valid YAML"))
}

/// A file may be laid out in a way that the edits below do not expect: then nothing is written.
fn verified(file: &str, after: String, expected: &[Value]) -> Result<String> {
    let mut found = parsed(file, &after).context("after the edit")?;
    if let Some(at) = of_kind(&found, "Deployment")
        && found[at]["metadata"]["annotations"].is_null()
    {
        found[at]["metadata"]["annotations"] = json!({});
    }
    if found != expected {
        bail!(
            "{file} is laid out in a way that cannot be edited safely, so nothing was changed; \
             edit it by hand: the image's tag, and the hold in metadata.annotations"
        );
    }
    Ok(after)
}

fn with_hold(file: &str, text: &str, bad: &str, key: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let block = metadata(&lines).with_context(|| format!("{file} has no block `metadata:`"))?;
    let indent = indent(lines[block.start]);
    let end = if lines[block.start].ends_with("\r\n") { "\r\n" } else { "\n" };
    let entry = |indent: usize| format!("{:indent$}{key}: \"{bad}\"{end}", "");
    let at = block.clone().find(|at| indent_is(lines[*at], indent) && lines[*at].trim().starts_with("annotations:"));
    let Some(at) = at else {
        let last = block.rev().find(|at| says_something(lines[*at])).unwrap_or_default();
        // The last line of a file need not have an end.
        let missing = if lines[last].ends_with('\n') { "" } else { end };
        let added = format!("{missing}{:indent$}annotations:{end}{}", "", entry(indent + 2));
        let added = if missing.is_empty() { added.as_str() } else { added.trim_end() };
        return Ok(lines[..=last].concat() + added + &lines[last + 1..].concat());
    };
    let line = lines[at];
    if let Some((before, rest)) = line.split_once('{') {
        let comma = if rest.trim_start().starts_with('}') { "" } else { ", " };
        let line = format!("{before}{{{key}: \"{bad}\"{comma}{rest}");
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
        if hold(line).is_none_or(|hold| !hold.is_certain) {
            kept.push(line.to_owned());
        } else if !HOLD_LINE.is_match(line) {
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
#[path = "edit_tests.rs"]
mod tests;
