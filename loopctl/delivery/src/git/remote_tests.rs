use std::path::Path;
use std::time::Instant;

use super::super::sh;
use super::*;

/// A clone with a remote `origin`, made by a script that may use $PWD.
fn clone(script: &str) -> (tempfile::TempDir, Git) {
    let folder = tempfile::tempdir().expect("a folder");
    sh(folder.path(), "git init -q -b master clone; git init -q --bare -b master owner/name.git");
    sh(&folder.path().join("clone"), &format!("git config user.email a@b; git config user.name a; {script}"));
    let git = Git::in_folder(&folder.path().join("clone"));
    (folder, git)
}

#[test]
fn a_proxy_is_left_out_for_this_machine_and_its_neighbours() {
    for (address, private) in [("http://10.1.2.3:3000/a/b.git", true), ("https://github.com/a/b", false)] {
        assert_eq!(is_private(&Address::of(address, Path::new("/"))), private, "{address}");
    }
}

#[test]
fn the_clones_own_remote_is_found_however_its_address_is_written() {
    let check = |script: &str, repository: &str, expected: &str| {
        let (_folder, git) = clone(script);
        assert_eq!(git.remote_of(repository, None).expect("a remote").address, expected, "{script}");
    };
    let https = "https://github.com/owner/name.git";
    check("git remote add origin git@github.com:owner/name", https, "origin");
    check("git remote add origin https://gitlab.com/owner/name", https, https);
    check("git remote add mine gh:owner/name; git config url.https://github.com/.insteadOf gh:", https, "mine");
    check("git remote add origin git@github.com:fork/name; git remote add up github.com:owner/name", https, "up");
    check("git remote add a git@github.com:owner/name; git remote add origin github.com:owner/name", https, "origin");
    // The other way round: Argo CD's address is the one that is rewritten here.
    let rewritten = "git config url.git@mirror.example:.insteadOf https://github.com/";
    check(&format!("git remote add origin git@mirror.example:owner/name; {rewritten}"), https, "origin");
    check("git remote add origin ../owner/name.git", "nowhere/owner/name.git", "nowhere/owner/name.git");
}

#[test]
fn an_alias_of_ssh_is_the_host_that_ssh_makes_of_it() {
    let check = |url: &str, expected: &str| {
        let (_folder, git) = clone(&format!(
            "printf 'Host work gh-*\\n  HostName github.com\\nHost over443\\n  HostName ssh.github.com\\n  Port 443\\n' >ssh
             git config core.sshCommand \"ssh -F $PWD/ssh\"; git remote add origin {url}"
        ));
        let https = "https://github.com/owner/name.git";
        assert_eq!(git.remote_of(https, None).expect("a remote").address, expected.replace("https", https), "{url}");
    };
    check("work:owner/name.git", "origin");
    check("git@gh-second:owner/name", "origin");
    check("ssh://git@over443/owner/name.git", "origin");
    check("home:owner/name.git", "https");
    check("work:fork/name.git", "https");
}

#[test]
fn a_remote_that_is_pushed_to_elsewhere_is_refused_before_the_push() {
    let check = |script: &str, refused: bool| {
        let (_folder, git) = clone(&format!("git remote add origin https://github.com/owner/name; {script}"));
        let remote = Remote { address: "origin".into(), password: None };
        let found = git.require_push_to(&remote);
        assert_eq!(found.is_err(), refused, "{script}: {found:?}");
        assert!(found.err().is_none_or(|error| error.is::<MayNotPush>()), "{script}");
    };
    check("true", false);
    check("git remote set-url --push origin git@github.com:owner/name.git", false);
    check("git config url.git@github.com:.pushInsteadOf https://github.com/", false);
    check("git remote set-url --push origin git@github.com:fork/name.git", true);
    check("git remote set-url --push origin DISABLED", true);
}

#[test]
fn a_branch_that_was_overwritten_is_read_as_it_is_now() {
    let (folder, git) = clone(
        "git remote add origin ../owner/name.git; git config remote.origin.fetch refs/heads/*:refs/remotes/origin/*
         git commit -q --allow-empty -m One; git push -q origin master; git fetch -q origin",
    );
    let remote = git.remote_of("../owner/name.git", None).expect("a remote");
    let other = "git clone -q owner/name.git other 2>&1; cd other; git config user.email a@b; git config user.name a
                 git commit -q --amend --allow-empty -m Other; git push -qf origin master; git rev-parse HEAD";
    let tip = sh(folder.path(), other);
    assert_eq!(git.tip(&remote, "master").expect("a tip"), tip);
    assert_eq!(git.tip(&remote, DEFAULT_BRANCH).expect("a tip"), tip);
    assert_eq!(git.default_branch(&remote).expect("a branch"), "master");
    let error = git.tip(&remote, "none").expect_err("there is no such branch").to_string();
    assert!(error.contains("origin has no branch none"), "{error}");
}

#[test]
fn a_worktree_is_as_good_as_a_clone() {
    let (folder, _) = clone(
        "git remote add origin ../owner/name.git; git commit -q --allow-empty -m One
         git push -q origin master; git worktree add -q ../tree",
    );
    let git = Git::in_folder(&folder.path().join("tree"));
    let repository = folder.path().join("owner/name.git").display().to_string();
    let remote = git.remote_of(&repository, None).expect("a remote");
    assert_eq!(remote.address, "origin");
    assert_eq!(
        git.tip(&remote, "master").expect("a tip"),
        git.resolve("HEAD").expect("git answers").expect("a commit")
    );
}

#[test]
fn a_server_that_does_not_answer_is_said_to_be_one_and_not_waited_for() {
    let (_folder, git) = clone("true");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let remote = Remote { address: format!("http://127.0.0.1:{port}/owner/name.git"), password: None };
    let begin = Instant::now();
    let asked = git.asked(&remote, &["ls-remote", &remote.address], Duration::from_secs(1));
    let error = asked.expect_err("nobody answers");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(error.is::<NoAccess>() && error.to_string().contains("git does not answer"), "{error:#}");
    drop(silent);
    let error = git.tip(&remote, "master").expect_err("nobody listens any more");
    assert!(error.is::<NoAccess>() && error.to_string().contains("it may pass"), "{error:#}");
}
