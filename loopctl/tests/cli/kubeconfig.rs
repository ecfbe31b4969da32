//! Whose cluster is asked: that of a kubeconfig that somebody has set up, or else the loop of this machine.

use std::fs;

use crate::world::World;

const LOOP_IS_ASKED: &str = "No kubeconfig is set up: this is about the loop of this machine.";

/// What `verify` says first on standard error where the kubeconfigs are in `places`.
fn check(places: &[&str], variable: Option<&str>, code: u8, said: &str) {
    let world = World::new();
    let kubeconfig = fs::read(world.path("kubeconfig")).expect("the world has one");
    fs::remove_file(world.path("kubeconfig")).expect("it is ours");
    for place in places {
        let place = world.path(place);
        fs::create_dir_all(place.parent().expect("it is in a folder")).expect("a folder");
        fs::write(place, &kubeconfig).expect("a kubeconfig");
    }
    // As the loop of this machine writes it, if that is what is there.
    let state = world.path("state");
    if state.exists() {
        let place = machine::Place::find().expect("the tests run with a home folder");
        let said = machine::stand_in::of(&state, place.repository().expect("the tests run in a checkout")).to_string();
        fs::write(state.join(machine::stand_in::FILE), said).expect("what the loop stands in for");
    }
    let transcript = world.transcript_with(variable, &["verify"]);
    let (_, stderr) = transcript.split_once("--- stderr\n").expect("each transcript has it");
    assert_eq!(stderr.lines().next(), Some(said), "{places:?}, KUBECONFIG={variable:?}\n{transcript}");
    assert!(transcript.starts_with(&format!("exit code: {code}\n")), "{transcript}");
}

#[test]
fn without_a_kubeconfig_the_loop_of_this_machine_is_asked_and_that_is_said() {
    check(&["state/kubeconfig"], None, 1, LOOP_IS_ASKED);
}

#[test]
fn a_kubeconfig_that_somebody_has_set_up_goes_before_the_loop() {
    let no_deployment = "error: there is no Deployment service";
    check(&["state/kubeconfig", "kubeconfig"], Some("kubeconfig"), 1, no_deployment);
    check(&["state/kubeconfig", ".kube/config"], None, 1, no_deployment);
    // What is broken is not replaced by another cluster in silence.
    let broken = "error: no usable kubeconfig: there is no file FOLDER/gone; set KUBECONFIG, or choose a context of \
                  yours with --context";
    check(&["state/kubeconfig"], Some("gone"), 6, broken);
}

#[test]
fn with_neither_both_ways_are_named() {
    check(
        &[],
        None,
        6,
        "error: no kubeconfig is set up, and no loop is up on this machine: `export KUBECONFIG=FILE` names a cluster of \
         yours, `cargo loopctl up` starts the loop",
    );
}

#[test]
fn the_loop_is_looked_for_where_it_is() {
    assert_eq!(delivery::stand_in::FILE, machine::stand_in::FILE);
    assert_eq!(delivery::stand_in::FOLDER, machine::place::STATE);
}
