//! Documents of a few lines, and what is seen in them.

use super::*;

fn check(document: &str, expected: &[Does]) {
    let found = steps(document, |name| ["src/a.rs", "k8s/"].contains(&name));
    let found: Vec<Does> = found.into_iter().map(|step| step.does).collect();
    assert_eq!(found, expected, "{document}");
}

/// What the document is told about its only mistake.
fn complaint(document: &str) -> String {
    let mut steps = steps(document, |name| ["src/a.rs", "src/b.rs"].contains(&name));
    let wrong: Vec<Step> = steps.drain(..).filter(|step| matches!(step.does, Does::Nothing(_))).collect();
    let [Step { does: Does::Nothing(what), .. }] = wrong.as_slice() else { panic!("{document}\n{wrong:?}") };
    what.clone()
}

fn run(commands: &str, how: How) -> Does {
    Does::Run { commands: commands.to_owned(), how }
}

#[test]
fn commands_are_run_and_answers_are_compared() {
    check("```bash\nmake\n```\n", &[run("make\n", How::default())]);
    let exchanges = vec![("a".to_owned(), "1\n2\n\n".to_owned()), ("b".to_owned(), String::new())];
    check("```\n$ a\n1\n2\n\n$ b\n```\n", &[Does::Answer { exchanges, how: How::default() }]);
    check("# Title\ntext\n", &[Does::Heading]);
}

#[test]
fn a_mark_counts_for_what_stands_below_it_alone() {
    let text = "<!-- proof: it_works -->\n\n```bash\na\n```\n\n```bash\nb\n```\n";
    check(text, &[Does::Proof("it_works".into()), run("b\n", How::default())]);
    check("<!-- not here: GitHub -->\nEdit `src/a.rs`.\n", &[Does::NotHere("GitHub".into())]);
    check("<!-- transcript: where -->\n\n```\n$ a\n```\n", &[Does::Transcript("where".into())]);
    let how = How {
        serves: Some(8080),
        answers: Some("y".into()),
        placeholders: vec![("NODE".into(), "127.0.0.1".into())],
        tools: true,
        docker: true,
    };
    let text = "<!-- walk: serves 8080, answers y, NODE is 127.0.0.1, with tools, with docker -->\n```bash\na\n```\n";
    check(text, &[run("a\n", how)]);
}

#[test]
fn an_edit_is_the_block_below_its_sentence() {
    let change = || Does::Change { file: "src/a.rs".into(), diff: "-a\n+b\n".into() };
    for sentence in ["Change it in `src/a.rs`, commit, and go on:", "In `src/a.rs`, add it:", "First, edit `src/a.rs`:"]
    {
        check(&format!("{sentence}\n\n```diff\n-a\n+b\n```\n"), &[change()]);
    }
    let write = Does::Write { file: "src/new.rs".into(), text: "x\n".into() };
    check("**New.** Write `src/new.rs`:\n\n```rust\nx\n```\n", &[write]);
    let covered = Does::Proof("sizing".into());
    check("Edit `src/a.rs`:\n\n<!-- proof: sizing -->\n\n```hcl\nx\n```\n", &[covered]);
}

#[test]
fn what_only_speaks_of_files_asks_for_nothing() {
    for text in [
        "A change of `src/a.rs` does not build again.",
        "`add` writes `src/a.rs`.",
        "Change nothing, and look at `src/a.rs`.",
        "| edit | `src/a.rs` |",
    ] {
        check(text, &[]);
    }
}

#[test]
fn whatever_nobody_does_is_a_mistake_that_names_the_ways_out() {
    for text in [
        "```yaml\na: 1\n```\n",
        "- In a list:\n\n  ```yaml\n  a: 1\n  ```\n",
        "Edit `src/a.rs`.\n",
        "Edit `src/a.rs`.\n\n```bash\nmake\n```\n",
        "Edit `src/a.rs` and change `src/b.rs`:\n\n```bash\nmake\n```\n",
    ] {
        let said = complaint(text);
        assert!(said.contains("<!-- proof: NAME -->"), "{text}: {said}");
    }
    for mark in ["walk: hops 8080", "proff: a", "proof:"] {
        let said = complaint(&format!("<!-- {mark} -->\n```bash\na\n```\n"));
        assert!(said.contains(mark), "{mark}: {said}");
    }
}
