use std::collections::BTreeSet;

use crate::repository::{files, text};

const DOCUMENT: &str = "docs/proofs.md";
const LIST: &str = "e2e/tests/proofs/main.rs";

/// The proofs that run: what the list names, as `file::proof`.
fn listed() -> BTreeSet<(String, String)> {
    let list = text(LIST);
    let list = list.split_once("= proofs![").and_then(|(_, rest)| rest.split_once("];")).map_or("", |(list, _)| list);
    let entries = list.split(',').filter_map(|entry| entry.trim().split_once("::"));
    entries.map(|(file, proof)| (file.to_owned(), proof.to_owned())).collect()
}

/// A cell of the last column, which holds one name.
fn documented() -> BTreeSet<String> {
    let document = text(DOCUMENT);
    let cells = document.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `"));
    cells.map(|(_, proof)| proof.to_owned()).collect()
}

#[test]
fn each_proof_that_the_document_names_runs_and_each_that_runs_is_named() {
    let listed: BTreeSet<String> = listed().into_iter().map(|(_, proof)| proof).collect();
    let documented = documented();
    assert!(listed.len() > 10, "only {} proofs were found in {LIST}: this check reads too little", listed.len());
    for proof in &documented {
        assert!(listed.contains(proof), "{DOCUMENT} names `{proof}`, which {LIST} does not run");
    }
    for proof in &listed {
        assert!(documented.contains(proof), "{LIST} runs {proof}: say in {DOCUMENT} which sentence it proves");
    }
}

#[test]
fn each_proof_shows_that_its_check_can_fail() {
    for (file, proof) in listed() {
        let source = text(&format!("e2e/tests/proofs/{file}.rs"));
        assert!(source.contains(&format!("pub fn {proof}(")), "e2e/tests/proofs/{file}.rs has no function {proof}");
        assert!(
            source.contains("report.control("),
            "e2e/tests/proofs/{file}.rs has no control run: add one to {proof}"
        );
    }
}

#[test]
fn how_often_each_thing_is_repeated_is_documented() {
    const TABLE: &str = "e2e/src/repetitions.rs";
    let (table, document) = (text(TABLE), text(DOCUMENT));
    let mut rows = Vec::new();
    for line in table.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, figures) = line.split_once(": Often = Often { few: ").unwrap_or_else(|| panic!("{TABLE}: {line}"));
        let (few, many) = figures.trim_end_matches(" };").split_once(", many: ").expect("few, then many");
        let figures = [few, many].map(|figure| figure.replace('_', ","));
        rows.push(format!("| {} | {} | {} |", name.to_lowercase().replace('_', " "), figures[0], figures[1]));
    }
    assert!(rows.len() > 3, "{TABLE} has only {rows:?}: this check reads too little");
    let (_, documented) = document.split_once("| many times (`make e2e-long`) |\n|---|---|---|\n").expect(DOCUMENT);
    let documented: Vec<&str> = documented.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(documented, rows, "{DOCUMENT} must have the figures of {TABLE}, in its order");
}

#[test]
fn each_file_of_proofs_is_run() {
    let listed: BTreeSet<String> = listed().into_iter().map(|(file, _)| file + ".rs").collect();
    const HARNESS: [&str; 4] = ["hops.rs", "main.rs", "table.rs", "take_turns.rs"];
    for file in files("e2e/tests/proofs").into_iter().filter(|file| !HARNESS.contains(&file.as_str())) {
        assert!(listed.contains(&file), "e2e/tests/proofs/{file} is not in the list of {LIST}, so it never runs");
    }
}
