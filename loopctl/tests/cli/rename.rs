//! `loopctl rename` in a repository that is somebody's.

use crate::repository::Repository;

const RENAME: [&str; 8] = ["rename", "--owner", "Hexa-Pus", "--name", "sea-cats", "--host", "node.example", "--yes"];

#[test]
fn a_rename_reaches_each_spelling_and_shows_it_first() {
    let repository = Repository::new();
    insta::assert_snapshot!("rename", repository.loopctl(&RENAME));
}

#[test]
fn the_same_again_changes_nothing_and_another_gives_the_old_name_back() {
    let repository = Repository::new();
    let start = ["rename", "--host", "node.example", "--yes"];
    repository.loopctl(&start);
    repository.commit();
    let before = repository.state();
    repository.loopctl(&RENAME);
    let after = repository.state();
    assert_ne!(after, before);
    // Before it is committed, too: there is nothing to lose.
    let again = repository.loopctl(&RENAME);
    assert!(again.starts_with("exit code: 0\n") && again.contains("already: nothing to do"), "{again}");
    assert_eq!(repository.state(), after);
    repository.commit();
    repository.loopctl(&["rename", "--owner", "octo", "--name", "kittens", "--yes"]);
    assert_eq!(repository.state(), before);
}

#[test]
fn what_is_refused_says_why_and_leaves_every_file_as_it_was() {
    let repository = Repository::new();
    let check = |arguments: &[&str], part: &str| {
        let before = repository.state();
        let said = repository.loopctl(arguments);
        assert!(!said.starts_with("exit code: 0"), "{arguments:?} was accepted: {said}");
        assert!(said.contains(part), "{arguments:?} said\n{said}\nwhich should contain: {part}");
        assert_eq!(repository.state(), before, "{arguments:?} left something behind");
    };
    check(&["rename"], "<--owner <OWNER>|--name <NAME>|--host <HOST>>");
    check(&["rename", "--name", "Sea_Cats", "--yes"], "must be 2 to 40 of a-z");
    check(&["rename", "--owner", "a/b", "--yes"], "must be a GitHub account");
    check(&["rename", "--host", "http://node", "--yes"], "must be a host or an address");
    check(&["rename", "--host", "127.0.0.1", "--yes"], "say localhost");
    check(&["rename", "--name", "config", "--yes"], "src/main.rs:1 uses config for something else");
    check(&["rename", "--name", "sea-cats"], "say --yes if this is what you want");
    repository.write("README.md", "changed\n");
    check(&["rename", "--name", "sea-cats", "--yes"], "commit or stash your changes first");
}
