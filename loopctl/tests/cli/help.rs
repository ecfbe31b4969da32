//! The help pages, as they are read in a terminal.

use crate::Machine;

#[test]
fn help_lists_what_a_person_types_and_nothing_that_only_up_runs() {
    let help = Machine::new().transcript(&["--help"]);
    for hidden in ["keep", "git-server", "post-receive", "run-workflow", "run-program"] {
        assert!(!help.contains(&format!("  {hidden} ")), "{hidden} is run by the loop itself; hide it from --help");
    }
    insta::assert_snapshot!("loopctl", help);
}

#[test]
fn each_command_explains_itself() {
    for command in [
        "where",
        "wait",
        "verify",
        "sync",
        "rollback",
        "resume",
        "guard",
        "doctor",
        "board",
        "up",
        "down",
        "status",
        "logs",
        "push",
        "runs",
        "completions",
    ] {
        insta::assert_snapshot!(command, Machine::new().transcript(&[command, "--help"]));
    }
}

#[test]
fn a_mistyped_command_is_answered_with_the_nearest_one_and_exit_code_2() {
    insta::assert_snapshot!("mistyped", Machine::new().transcript(&["statuses"]));
}

#[test]
fn the_completions_know_the_commands() {
    let script = Machine::new().transcript(&["completions", "bash"]);
    assert!(script.contains("complete -F _loopctl") && script.contains("where"), "{script}");
}

#[test]
fn each_command_for_a_repository_of_ones_own_explains_itself() {
    let commands: [&[&str]; 7] = [
        &["service"],
        &["service", "add"],
        &["service", "list"],
        &["service", "remove"],
        &["new"],
        &["update"],
        &["pull-secret"],
    ];
    for command in commands {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        insta::assert_snapshot!(command.join("_"), Machine::new().transcript(&arguments));
    }
}
