//! Documents of a few lines, walked in a repository of one file.

use std::fs;
use std::process::Command;

use super::reader::Reader;
use super::walk;
use crate::shell;

/// What the walk has written down, and how it ended.
fn walked(document: &str) -> (String, Result<(), String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let checkout = folder.path().join("checkout");
    fs::create_dir_all(&checkout).expect("a folder");
    fs::write(checkout.join("greeting.txt"), "Hello\n").expect("a file");
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message=Begin"]] {
        let mut git = Command::new("git");
        git.current_dir(&checkout).args(["-c", "user.name=a", "-c", "user.email=b"]).args(arguments);
        shell::run(&mut git).expect("git does it");
    }
    let mut reader = Reader::in_folder(&checkout, folder.path().join("walk")).expect("a reader");
    let mut log = String::new();
    let ended = walk(&mut reader, "README.md", document, &mut |line| log += &format!("{line}\n"));
    (log, ended.map_err(|error| format!("{error:#}")))
}

fn check(document: &str, steps: usize) {
    let (log, ended) = walked(document);
    assert_eq!(ended, Ok(()), "{document}\n{log}");
    assert_eq!(log.matches("walked").count(), steps, "{document}\n{log}");
}

fn check_failure(document: &str, said: &[&str]) {
    let (log, ended) = walked(document);
    let error = ended.expect_err(&format!("{document}\n{log}"));
    assert!(said.iter().all(|part| error.contains(part)), "{document}\n{error}");
}

#[test]
fn commands_answers_and_edits_are_done_in_a_clone_one_after_the_other() {
    check("```bash\ntest $(cat greeting.txt) = Hello\n```\n\n```\n$ cat greeting.txt\nHello\n```\n", 2);
    let edit = "Change `greeting.txt`:\n\n```diff\n-Hello\n+Bye\n```\n\nWrite `new/a.txt`:\n\n```text\nb\n```\n";
    check(&format!("{edit}\n```\n$ cat greeting.txt new/a.txt\nBye\nb\n```\n"), 3);
}

#[test]
fn what_does_not_end_as_shown_is_told_with_its_place() {
    check_failure(
        "# A\n\n```bash\necho before\ncta greeting.txt\necho after\n```\n",
        &["README.md:3", "cta", "before"],
    );
    check_failure("```\n$ cat greeting.txt\nHi\n```\n", &["README.md:1", "expected: \"Hi\"", "seen: \"Hello\""]);
    check_failure("Edit `greeting.txt`:\n\n```diff\n-Hi\n+Bye\n```\n", &["README.md:3", "has not got", "Hi"]);
    check_failure("```yaml\na: 1\n```\n", &["README.md:1", "neither walked nor covered"]);
}

#[test]
fn a_question_is_answered_on_a_terminal_and_a_placeholder_filled_in() {
    check("<!-- walk: answers y -->\n```bash\nread answer </dev/tty\ntest -t 0\ntest \"$answer\" = y\n```\n", 1);
    check("<!-- walk: NODE is here -->\n```bash\ntest NODE = here\n```\n", 1);
}

#[test]
fn the_tools_are_those_that_a_command_before_has_named() {
    let tools = "<!-- walk: with tools -->\n```bash\ntest $KUBECONFIG = /a/b\n```\n";
    check(&format!("```bash\necho 'Use: export KUBECONFIG=/a/b PATH=/a:$PATH'\n```\n\n{tools}"), 2);
    check_failure(tools, &["how its tools are found"]);
}

#[test]
fn what_serves_stays_until_the_next_heading_and_has_to_end_well() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
    let serve = |command: &str| format!("<!-- walk: serves {port} -->\n```bash\n{command}\n```\n");
    let server = format!("python3 -m http.server --bind 127.0.0.1 {port}");
    let ask = format!("\n```\n$ curl http://127.0.0.1:{port}/greeting.txt\nHello\n```\n");
    check(&format!("{}{ask}\n# Next\n\n```bash\n! curl http://127.0.0.1:{port}/\n```\n", serve(&server)), 3);
    check_failure(&serve("echo no server; exit 3"), &["it ended with exit status: 3", "no server"]);
    check_failure(&serve(&format!("sh -c '{server}; exit 5'")), &["ends well after Ctrl-C"]);
}

#[test]
fn what_is_not_walked_says_who_covers_it_or_why() {
    let (log, ended) = walked(
        "<!-- proof: it_works -->\n```bash\nfalse\n```\n<!-- not here: GitHub -->\n```bash\nfalse\n```\n\
         <!-- walk: with docker -->\n```bash\nfalse\n```\n",
    );
    assert_eq!(ended, Ok(()));
    for said in ["covered by the proof it_works", "not here: GitHub", "nobody has looked for a Docker engine"] {
        assert!(log.contains(said), "{log}");
    }
}
