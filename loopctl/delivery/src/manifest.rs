//! How a service's deployment.yaml is read: by its lines, by the same rules as .github/scripts/manifest.bash, so that a bump, a
//! rollback and `where` never disagree about what is there. tests/cases/manifest.yaml holds both to it.

pub mod edit;

use std::collections::HashMap;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use regex::Regex;

/// The annotation by which a Deployment in git stops all bumps; each repository puts its own name into it.
const HOLD: &str = r"delivery\.[A-Za-z0-9-]+/hold";

/// What the container of the Deployment's own name runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Without its tag.
    pub name: String,
    /// The seven digits that the tag names.
    pub revision: String,
    /// All that stands there, which may have a digest as well.
    pub written: String,
    /// Counted from 1.
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The revision that it calls bad; empty where it names none.
    pub bad: String,
    /// Counted from 1.
    pub line: usize,
    /// False where the line only may be a hold.
    pub is_certain: bool,
}

/// `file` is the one that errors name.
pub fn image(file: &str, text: &str) -> Result<Image> {
    static FORM: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^([A-Za-z0-9][A-Za-z0-9./:_-]*):sha-([0-9a-f]{7})(@sha256:[0-9a-f]{64})?$"));
    let scan = Scan::of(file, text);
    let container = scan.container()?;
    let path = format!("{container}/image");
    let Some(line) = scan.line(&path) else {
        return scan.refuse(scan.line(&container).unwrap_or_default(), "this container has no image");
    };
    let written = scan.word(&path)?;
    let Some(form) = FORM.captures(&written) else {
        let why = "has not the form NAME:sha-<7 hex digits>, which a bump could go on from";
        return scan.refuse(line, &format!("the image {written} {why}"));
    };
    Ok(Image { name: form[1].to_owned(), revision: form[2].to_owned(), line, written: written.clone() })
}

/// Wherever YAML finds one, and in doubt.
pub fn hold(text: &str) -> Option<Hold> {
    let mut doubtful = None;
    let mut quotes_are_open = false;
    for (at, line) in text.split('\n').enumerate() {
        let mut line = line.strip_suffix('\r').unwrap_or(line);
        if !quotes_are_open && let Some(found) = COMMENT.captures(line) {
            line = found.get(1).map_or("", |before| before.as_str());
        }
        if MENTIONED.is_match(line) || DISGUISED.is_match(line) {
            if let Some(found) = HELD.captures(line) {
                return Some(Hold { bad: found[1].to_owned(), line: at + 1, is_certain: true });
            }
            doubtful = doubtful.or(Some(Hold { bad: String::new(), line: at + 1, is_certain: false }));
        }
        quotes_are_open |= !CLOSED.is_match(line);
    }
    doubtful
}

// The patterns have the names that they have in manifest.bash.
static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^(?:"([^"\\]+)"|'([^']+)'|([A-Za-z0-9_./-]+))[ \t]*:(?:[ \t]+(.*))?$"#));
static WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9/][^ \t]*))(?:[ \t]+(?:#.*)?)?$"#));
const CLEAN: &str = r#"(?:(?:[^"'\\#]*[ \t,:{\[])?(?:"[^"\\]*"|'[^']*'))*"#;
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^({CLEAN}[^\"'\\\\#]*[ \\t])?#[ -~\\t]*$")));
static CLOSED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{}[^\"'\\\\]*$", CLEAN.replace(r"\\#", r"\\"))));
static MENTIONED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("(?:^|[^A-Za-z0-9_./#-]){HOLD}(?:[^A-Za-z0-9_./-]|$)")));
static HELD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("{HOLD}[\"']?[ \\t]*:[ \\t]*[\"']?([^\\]\"'{{}},#\\s]*)")));
static DISGUISED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\\[xuU/][^"]*"[ \t]*:|^[ \t]*\?[ \t].*\\|\*[^\] \t,{}\[]+[ \t]+:"#));

#[expect(clippy::expect_used, reason = "the patterns are constants")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

struct Value {
    line: usize,
    text: String,
    /// The line that says the same key once more.
    again: Option<usize>,
    /// The line on which the value goes on.
    goes_on: Option<usize>,
}

/// What stands where, by path: the document's number, then keys and places in lists, such as
/// `1/spec/template/spec/containers/0/image`. What is no key is kept as the key `?`, so that nothing below it is found.
struct Scan<'a> {
    file: &'a str,
    values: HashMap<String, Value>,
    /// How many entries a list has.
    lengths: HashMap<String, usize>,
    documents: usize,
    tab: Option<usize>,
}

/// A key, or an entry of a list, that the lines below may belong to.
struct Open {
    path: String,
    indent: usize,
    is_entry: bool,
}

impl<'a> Scan<'a> {
    fn of(file: &'a str, text: &str) -> Self {
        static ANCHOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"^&[^ \t]+[ \t]*"));
        static BLOCK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:![^ \t]*[ \t]+)?[|>]"));
        static TAB: LazyLock<Regex> = LazyLock::new(|| pattern("^\t[ \t]*(?:-[ \t]|[A-Za-z\"'][^:]*:(?:[ \t]|$))"));
        let mut scan = Self { file, values: HashMap::new(), lengths: HashMap::new(), documents: 1, tab: None };
        let mut open: Vec<Open> = Vec::new();
        let mut block: Option<usize> = None;
        for (at, line) in text.split('\n').enumerate() {
            let at = at + 1;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let line = line.strip_prefix('\u{feff}').unwrap_or(line);
            if says_nothing(line) {
                continue;
            }
            let is_mark = |mark| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(BLANK));
            if is_mark("---") || is_mark("...") {
                scan.documents += 1;
                open.clear();
                block = None;
                continue;
            }
            let mut rest = line.trim_start_matches(' ');
            let mut indent = line.len() - rest.len();
            // The lines of a text (| or >) are deeper than its key, whatever they look like.
            if block.is_some_and(|block| indent > block) {
                continue;
            }
            block = None;
            if TAB.is_match(rest) {
                scan.tab = Some(at);
            }
            while let Some(entry) = rest.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(BLANK)) {
                // A list may stand as far left as the key that it belongs to.
                open.retain(|each| each.indent < indent || (each.indent == indent && !each.is_entry));
                let parent = scan.parent(&open);
                let count = scan.lengths.entry(parent.clone()).or_default();
                let path = format!("{parent}/{count}");
                *count += 1;
                scan.values.insert(path.clone(), Value { line: at, text: String::new(), again: None, goes_on: None });
                open.push(Open { path, indent, is_entry: true });
                let entry = entry.trim_start_matches(BLANK);
                indent += rest.len() - entry.len();
                rest = entry;
            }
            if says_nothing(rest) {
                continue;
            }
            open.retain(|each| each.indent < indent);
            let parent = scan.parent(&open);
            if let Some(above) = scan.values.get_mut(&parent).filter(|above| !above.text.is_empty()) {
                above.goes_on = Some(at);
            }
            let (key, value) = match KEY.captures(rest) {
                Some(found) => {
                    let key = (1..4).find_map(|group| found.get(group)).map_or("", |key| key.as_str());
                    (key, found.get(4).map_or("", |value| value.as_str()))
                }
                None => ("?", rest),
            };
            // An anchor names the value behind it, and changes nothing.
            let value = ANCHOR.replace(value, "");
            let value = if value.starts_with('#') { "" } else { &value };
            if BLOCK.is_match(value) {
                let entry = open.last().filter(|above| above.is_entry && key == "?");
                block = Some(entry.map_or(indent, |entry| entry.indent));
            }
            let path = format!("{parent}/{key}");
            let before = scan.values.get(&path).map(|_| at).filter(|_| key != "?");
            let line = scan.values.get(&path).filter(|_| before.is_some()).map_or(at, |first| first.line);
            scan.values.insert(path.clone(), Value { line, text: value.to_owned(), again: before, goes_on: None });
            open.push(Open { path, indent, is_entry: false });
        }
        scan
    }

    fn refuse<T>(&self, line: usize, why: &str) -> Result<T> {
        bail!("{}, line {line}: {why}", self.file)
    }

    fn parent(&self, open: &[Open]) -> String {
        open.last().map_or_else(|| self.documents.to_string(), |above| above.path.clone())
    }

    fn line(&self, path: &str) -> Option<usize> {
        self.values.get(path).map(|value| value.line)
    }

    /// The one word that stands there, without quotes and comment; nothing where nothing does.
    fn word(&self, path: &str) -> Result<String> {
        let Some(value) = self.values.get(path) else { return Ok(String::new()) };
        let key = path.rsplit('/').next().unwrap_or_default();
        let (line, text) = (value.line, &value.text);
        if let Some(again) = value.again {
            return self.refuse(again, &format!("{key} is said a second time, after line {line}"));
        }
        if let Some(goes_on) = value.goes_on {
            return self.refuse(goes_on, &format!("the {key} of line {line} goes on here; write it on one line"));
        }
        let Some(found) = WORD.captures(text) else {
            let why = "which is not read here; write it out, in quotes or without";
            return self.refuse(line, &format!("the {key} is '{text}', {why}"));
        };
        Ok((1..4).find_map(|group| found.get(group)).map_or("", |word| word.as_str()).to_owned())
    }

    /// The path of the container that has the Deployment's own name, or is the only one.
    fn container(&self) -> Result<String> {
        let mut found = None;
        for document in 1..=self.documents {
            let Some(kind) = self.values.get(&format!("{document}/kind")) else { continue };
            if !is_deployment(&kind.text) {
                continue;
            }
            if found.is_some() {
                return self.refuse(kind.line, "this is a second Deployment");
            }
            found = Some(document);
        }
        // Where none says so, one that says nothing about its kind will be it.
        let silent = |document: &usize| {
            let says = |key: &str| self.values.contains_key(&format!("{document}/{key}"));
            !says("kind") && says("spec")
        };
        let found = found.or_else(|| (1..=self.documents).find(silent));
        let document = found.with_context(|| format!("{} has no document of 'kind: Deployment'", self.file))?;
        if let Some(tab) = self.tab {
            return self.refuse(tab, "a tab indents this line, which YAML does not allow");
        }
        for place in ["spec", "spec/template", "spec/template/spec", "spec/template/spec/containers"] {
            let Some(value) = self.values.get(&format!("{document}/{place}")) else {
                bail!("{} has no {place} in block style, each key on a line of its own", self.file);
            };
            if !value.text.is_empty() {
                let why = "write it in block style, each key on a line of its own";
                return self.refuse(value.line, &format!("{place} is '{}'; {why}", value.text));
            }
        }
        let list = format!("{document}/spec/template/spec/containers");
        let line = self.line(&list).unwrap_or_default();
        let count = self.lengths.get(&list).copied().unwrap_or_default();
        if count == 0 {
            return self.refuse(line, "it lists no container");
        }
        let own = self.word(&format!("{document}/metadata/name"))?;
        let mut named = Vec::new();
        for at in 0..count {
            let place = format!("{list}/{at}");
            if self.line(&format!("{place}/?")).is_some() {
                let why = "this container is not in block style; write each of its keys on a line of its own";
                return self.refuse(self.line(&place).unwrap_or_default(), why);
            }
            if self.word(&format!("{place}/name"))? == own || count == 1 {
                named.push(place);
            }
        }
        match <[String; 1]>::try_from(named) {
            Ok([place]) => Ok(place),
            Err(named) => self.refuse(
                line,
                &format!("{} of {count} containers have the Deployment's name, {own}; one must", named.len()),
            ),
        }
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// Blank, or a comment.
fn says_nothing(line: &str) -> bool {
    let said = line.trim_start_matches(BLANK);
    said.is_empty() || said.starts_with('#')
}

fn is_deployment(kind: &str) -> bool {
    let word = kind.split(BLANK).next().unwrap_or_default();
    word.trim_matches(['"', '\'']) == "Deployment"
}

#[cfg(test)]
mod tests;
