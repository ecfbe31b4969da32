//! `loopctl pull-secret` as far as it comes without a cluster.

use crate::repository::Repository;

fn check(arguments: &[&str], environment: &[(&str, &str)], code: u8, part: &str) {
    let said = Repository::new().loopctl_with(arguments, environment);
    assert!(said.starts_with(&format!("exit code: {code}\n")), "{arguments:?} said\n{said}");
    assert!(said.contains(part), "{arguments:?} said\n{said}\nwhich should contain: {part}");
    assert!(!said.contains("secret-token"), "the token was printed:\n{said}");
}

const TOKEN: (&str, &str) = ("LOOPCTL_REGISTRY_TOKEN", "secret-token");

#[test]
fn what_is_missing_is_named_and_the_token_never_shown() {
    check(&["pull-secret"], &[], 1, "there is no token: pipe it in, or set LOOPCTL_REGISTRY_TOKEN");
    check(&["pull-secret"], &[("LOOPCTL_REGISTRY_TOKEN", "secret-token two")], 1, "a token is one word");
    check(&["pull-secret", "--namespace", "elsewhere"], &[TOKEN], 1, "no service in the namespace elsewhere");
    check(&["pull-secret", "--username", "a:b"], &[TOKEN], 1, "without ':'");
    check(&["pull-secret", "--secret", "other"], &[TOKEN], 1, "names such a pull secret");
    check(&["pull-secret"], &[TOKEN], 6, "no usable kubeconfig");
}

#[test]
fn a_token_is_no_argument() {
    check(&["pull-secret", "--token", "secret"], &[], 2, "unexpected argument '--token'");
}
