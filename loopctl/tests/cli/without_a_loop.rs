//! What the commands say on a machine where nothing was started.

use std::os::unix::fs::PermissionsExt;

use crate::Machine;

fn check(arguments: &[&str], expected: &str) {
    assert_eq!(Machine::new().transcript(arguments), expected, "loopctl {}", arguments.join(" "));
}

/// Of a developer's own loop, which is up while the tests run.
fn another_loop() -> Option<String> {
    machine::network::owner().map(|folder| machine::checks::another_loop(&folder))
}

#[test]
fn status_says_how_to_start_a_loop_and_fails() {
    let none = "There is no loop on this machine; `cargo loopctl up` starts one.".to_owned();
    let said = another_loop().unwrap_or(none);
    check(&["status"], &format!("exit code: 1\n--- stdout\n{said}\n--- stderr\n\n"));
}

#[test]
fn logs_of_an_unknown_part_name_the_parts() {
    check_refusal(
        &["logs", "nonsense"],
        "there is no part nonsense; the parts are keys, network, registry, git, first-push, images, etcd, apiserver, \
         controller-manager, scheduler, containerd, kubelet, kube-proxy, coredns, argocd, board",
    );
}

#[test]
fn logs_of_a_part_that_never_ran_name_the_file() {
    check_refusal(
        &["logs", "etcd"],
        "etcd has said nothing yet (FOLDER/state/logs/etcd.log): No such file or directory (os error 2)",
    );
}

#[test]
fn logs_of_what_is_no_process_say_so() {
    check_refusal(&["logs", "network"], "network is not a process and says nothing");
}

#[test]
fn push_says_what_to_start_first() {
    check_refusal(&["push"], "the loop's git server does not run; `cargo loopctl up` starts it");
}

#[test]
fn up_and_down_without_root_say_how_to_become_it() {
    let machine = Machine::new();
    let advice = "put sudo in front";
    for command in ["up", "down"] {
        let said = machine.transcript_without_root(&[command]);
        assert!(said.starts_with("exit code: 1\n") && said.contains(advice), "{command} said:\n{said}");
    }
}

#[test]
fn down_leaves_a_machine_without_a_loop_alone() {
    if let (true, Some(another)) = (rustix::process::geteuid().is_root(), another_loop()) {
        check_refusal(&["down"], &another);
    } else if rustix::process::geteuid().is_root() {
        check(&["down"], "exit code: 0\n--- stdout\nThere is no loop on this machine.\n--- stderr\n\n");
    } else {
        check_refusal(&["down"], "the loop runs as root, so it has to be stopped as root: put sudo in front");
    }
}

#[test]
fn a_folder_that_no_loop_has_made_is_left_alone_by_down_and_taken_by_no_up() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for file in ["thesis.tex", "etcd/data/0", ".hidden"] {
        let machine = Machine::new();
        let path = machine.0.path().join("state").join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, "mine").expect("a file");
        for command in [&["down"][..], &["down", "--purge"], &["up"]] {
            let said = machine.transcript(command);
            assert!(said.starts_with("exit code: 1\n"), "{said}");
            assert!(said.contains("FOLDER/state is no folder of a loop: it has files and no mark"), "{said}");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("it is still there"), "mine");
    }
}

#[test]
fn purge_removes_the_cache_even_where_files_are_read_only() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let machine = Machine::new();
    let folder = machine.0.path().join("cache/argo-rust-loop/go-build");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("object"), "").expect("a file");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).expect("it is ours");
    if let Some(another) = another_loop() {
        let said = format!("exit code: 1\n--- stdout\n\n--- stderr\nerror: {another}\n");
        assert_eq!(machine.transcript(&["down", "--purge"]), said);
        return;
    }
    let said = "exit code: 0\n--- stdout\nThere is no loop on this machine.\n\
                The cache is removed too; the next `up` builds everything again.\n--- stderr\n\n";
    assert_eq!(machine.transcript(&["down", "--purge"]), said);
    assert!(!machine.0.path().join("cache/argo-rust-loop").exists(), "the cache is still there");
    assert!(machine.0.path().join("cache").exists(), "the folder of all caches is not the loop's");
}

fn check_refusal(arguments: &[&str], sentence: &str) {
    check(arguments, &format!("exit code: 1\n--- stdout\n\n--- stderr\nerror: {sentence}\n"));
}
