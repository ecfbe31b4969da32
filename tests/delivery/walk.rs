//! Whatever README, CONTRIBUTING and docs/loopctl.md ask for is done by the walk of e2e/, or says why not.

use std::collections::BTreeMap;

use crate::repository::{files, path, text};

#[allow(dead_code, reason = "what only the walk itself needs is in the same file")]
#[path = "../../e2e/src/walk/document.rs"]
mod document;
#[path = "../../e2e/src/walk/edit.rs"]
mod edit;

use document::{DOCUMENTS, Does, Step, steps};

fn of(document: &str) -> Vec<Step> {
    steps(&text(document), |name| path(name).exists())
}

/// Each file below the folder, one after the other.
fn sources(folder: &str) -> String {
    files(folder).iter().filter(|name| name.ends_with(".rs")).map(|name| text(&format!("{folder}/{name}"))).collect()
}

#[test]
fn each_block_and_each_edit_of_the_documents_is_walked_or_says_why_not() {
    let (proofs, transcripts) = (sources("e2e/tests/proofs"), sources("loopctl/tests/cli"));
    let (mut walked, mut mistakes) = (0, Vec::new());
    for document in DOCUMENTS {
        for step in of(document) {
            let mistake = match step.does {
                Does::Nothing(what) => what,
                Does::Proof(name) if !proofs.contains(&format!("pub fn {name}(")) => {
                    format!("e2e/tests/proofs/ has no proof {name}")
                }
                Does::Transcript(name) if !transcripts.contains(&format!("\"{name}\"")) => {
                    format!("loopctl/tests/cli/ compares no transcript {name}")
                }
                Does::Run { .. } | Does::Answer { .. } | Does::Write { .. } | Does::Change { .. } => {
                    walked += 1;
                    continue;
                }
                _ => continue,
            };
            mistakes.push(format!("{document}:{}: {:?} {mistake}", step.line, step.shows));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    assert!(walked > 10, "only {walked} steps of the documents are walked: this check reads too little");
}

#[test]
fn each_edit_that_a_document_shows_can_be_made() {
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for document in DOCUMENTS {
        for step in of(document) {
            match step.does {
                Does::Write { file, text } => {
                    written.insert(file, text);
                }
                // A reader's routes are theirs: they may say otherwise by now, and only the walk needs the first words.
                Does::Change { file, .. } if file.starts_with("src/routes/") && !written.contains_key(&file) => {
                    assert!(path(&file).exists(), "{document}:{}: {file} does not exist", step.line);
                }
                Does::Change { file, diff } => {
                    let before = written.get(&file).cloned().unwrap_or_else(|| text(&file));
                    let after = edit::changed(&before, &diff)
                        .unwrap_or_else(|error| panic!("{document}:{}: the edit of {file}: {error}", step.line));
                    written.insert(file, after);
                }
                _ => {}
            }
        }
    }
    assert!(!written.is_empty(), "no document shows an edit: this check reads nothing");
}
