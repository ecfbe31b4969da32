//! What a document asks its reader to do: commands, edits, and answers to expect, in the order in which they stand.
//!
//! tests/delivery/ includes this file too, so that what the walk would do and what `make test` demands are one thing.

// By its path, because whoever includes this file from elsewhere has to find it too.
#[path = "markdown.rs"]
mod markdown;

use markdown::{Piece, exchanges, pieces};

/// In the order in which a stranger reads them.
pub const DOCUMENTS: [&str; 3] = ["README.md", "CONTRIBUTING.md", "docs/loopctl.md"];

/// A place in a document that asks for something, and what is done about it.
#[derive(Debug)]
pub struct Step {
    pub line: usize,
    /// The first words of the block or the sentence.
    pub shows: String,
    pub does: Does,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Does {
    /// What was left running in the foreground is ended here, by Ctrl-C.
    Heading,
    Run {
        commands: String,
        how: How,
    },
    /// The command behind `$` prints exactly this.
    Answer {
        exchanges: Vec<(String, String)>,
        how: How,
    },
    Write {
        file: String,
        text: String,
    },
    Change {
        file: String,
        diff: String,
    },
    /// Not walked: a proof of that name does it.
    Proof(String),
    /// Not walked: a test of loopctl compares it with what the command says.
    Transcript(String),
    /// Not walked, for this reason.
    NotHere(String),
    /// Nothing is done about it, which is a mistake in the document.
    Nothing(String),
}

/// What a reader brings along: `<!-- walk: serves 8080, answers y -->`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct How {
    /// It stays in the foreground once this port is open; the reader goes on in another terminal.
    pub serves: Option<u16>,
    /// What is typed when it asks.
    pub answers: Option<String>,
    /// A word that stands for something else: `NODE is 127.0.0.1`.
    pub placeholders: Vec<(String, String)>,
    /// Whatever `up` says that its tools need is in the environment.
    pub tools: bool,
    pub docker: bool,
}

const MARKS: &str = "put a line above it: `<!-- proof: NAME -->`, or `<!-- not here: WHY IT CANNOT RUN HERE -->`";
/// An edit is what begins with one of these and names a file.
const VERBS: [&str; 9] = ["add", "change", "delete", "edit", "insert", "put", "remove", "replace", "write"];

/// All that the document asks for. `is_file` says whether the repository has a file or folder of that name.
pub fn steps(document: &str, is_file: impl Fn(&str) -> bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut mark, mut edit) = (None, None);
    for (line, piece) in pieces(document) {
        match piece {
            Piece::Mark(text) => {
                mark = Some(text);
                continue;
            }
            Piece::Heading(text) => {
                steps.extend(undone(edit.take()));
                steps.push(Step { line, shows: text.to_owned(), does: Does::Heading });
            }
            Piece::Paragraph(lines) => {
                steps.extend(undone(edit.take()));
                let found: Vec<Edit> = lines.iter().flat_map(|line| edits(line, &is_file)).collect();
                match (mark.map(covered), found.as_slice()) {
                    (_, []) => {}
                    (Some(Ok(does)), [first, ..]) => steps.push(Step { line, shows: first.clause.clone(), does }),
                    (Some(Err(text)), _) => steps.push(wrong(line, text, unknown(text))),
                    (None, [one]) => edit = Some((line, one.clone())),
                    (None, [first, ..]) => {
                        let many = format!("asks for more than one edit: a paragraph and a block for each, or {MARKS}");
                        steps.push(wrong(line, &first.clause, many));
                    }
                }
            }
            Piece::Block { language, text } => {
                let shows = text.lines().next().unwrap_or_default().to_owned();
                let does = match mark {
                    Some(mark) => marked(mark, language, &text),
                    None => unmarked(language, &text, edit.as_ref().map(|(_, edit)| edit)),
                };
                // A block that is covered covers the sentence above it as well; commands do no edit.
                if matches!(does, Does::Run { .. } | Does::Answer { .. } | Does::Nothing(_)) {
                    steps.extend(undone(edit.take()));
                }
                edit = None;
                steps.push(Step { line, shows, does });
            }
        }
        mark = None;
    }
    steps.extend(undone(edit));
    steps
}

fn undone(edit: Option<(usize, Edit)>) -> Option<Step> {
    let (line, edit) = edit?;
    let what = format!("says to edit {}, and no block below it shows how: show it as ```diff, or {MARKS}", edit.file);
    Some(wrong(line, &edit.clause, what))
}

fn wrong(line: usize, shows: &str, what: String) -> Step {
    Step { line, shows: shows.to_owned(), does: Does::Nothing(what) }
}

fn unknown(mark: &str) -> String {
    format!("`{mark}` is no mark; {MARKS}, or `<!-- walk: HOW -->` with what e2e/src/walk/document.rs knows")
}

/// A mark that says why nothing is walked; Err is any other.
fn covered(mark: &str) -> Result<Does, &str> {
    let (key, value) = mark.split_once(':').ok_or(mark)?;
    let value = value.trim().to_owned();
    match key.trim() {
        _ if value.is_empty() => Err(mark),
        "proof" => Ok(Does::Proof(value)),
        "transcript" => Ok(Does::Transcript(value)),
        "not here" => Ok(Does::NotHere(value)),
        _ => Err(mark),
    }
}

fn marked(mark: &str, language: &str, text: &str) -> Does {
    if let Ok(does) = covered(mark) {
        return does;
    }
    let how = mark.strip_prefix("walk:").and_then(how);
    match (how, language) {
        (Some(how), "bash") => Does::Run { commands: text.to_owned(), how },
        (Some(how), "") if text.starts_with("$ ") => Does::Answer { exchanges: exchanges(text), how },
        _ => Does::Nothing(unknown(mark)),
    }
}

fn unmarked(language: &str, text: &str, edit: Option<&Edit>) -> Does {
    match (language, edit) {
        ("bash", _) => Does::Run { commands: text.to_owned(), how: How::default() },
        ("", _) if text.starts_with("$ ") => Does::Answer { exchanges: exchanges(text), how: How::default() },
        ("diff", Some(edit)) => Does::Change { file: edit.file.clone(), diff: text.to_owned() },
        (_, Some(edit)) if edit.verb == "write" => Does::Write { file: edit.file.clone(), text: text.to_owned() },
        _ => Does::Nothing(format!("is neither walked nor covered: {MARKS}")),
    }
}

fn how(text: &str) -> Option<How> {
    let mut how = How::default();
    for part in text.split(',').map(str::trim) {
        match part.split_once(' ') {
            Some(("serves", port)) => how.serves = Some(port.parse().ok()?),
            Some(("answers", answer)) => how.answers = Some(answer.to_owned()),
            Some(("with", "tools")) => how.tools = true,
            Some(("with", "docker")) => how.docker = true,
            Some((word, rest)) => {
                how.placeholders.push((word.to_owned(), rest.strip_prefix("is ")?.to_owned()));
            }
            None => return None,
        }
    }
    Some(how)
}

#[derive(Clone)]
struct Edit {
    verb: String,
    file: String,
    clause: String,
}

/// The clauses of a line that ask for an edit of a file of the repository.
fn edits(line: &str, is_file: &impl Fn(&str) -> bool) -> Vec<Edit> {
    let line = line.replace("**", "");
    let line = line.trim_start_matches(['-', '*', ' ']);
    let sentences = line.split_inclusive([':', ';']).flat_map(|part| part.split(". "));
    let clauses = sentences.flat_map(|sentence| match sentence.trim().starts_with("In `") {
        true => vec![sentence],
        false => {
            sentence.split(", ").flat_map(|clause| clause.split(" and ")).flat_map(|it| it.split("then ")).collect()
        }
    });
    clauses.filter_map(|clause| edit(clause.trim(), is_file)).collect()
}

fn edit(clause: &str, is_file: &impl Fn(&str) -> bool) -> Option<Edit> {
    let (first, rest) = clause.split_once(' ')?;
    let first = first.to_lowercase();
    let verb = if first == "in" && rest.starts_with('`') { "change".to_owned() } else { first };
    if !VERBS.contains(&verb.as_str()) {
        return None;
    }
    let mut quoted = clause.split('`').skip(1).step_by(2);
    // What is to be written is not there yet.
    let is_path = |word: &str| !word.contains([' ', '<']) && word.contains(['/', '.']);
    let file = quoted.find(|word| is_file(word) || verb == "write" && is_path(word) && word.contains('/'))?;
    Some(Edit { verb, file: file.to_owned(), clause: clause.to_owned() })
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
