use std::net::{SocketAddr, TcpListener};

use argo_rust::server::environment::Environment;
use argo_rust::server::settings::Settings;

use crate::client::get;
use crate::documents;
use crate::service::{Service, command};

/// Ends the start with the accepted form, before any port is bound.
pub fn is_refused(name: &str, value: &str, accepts: &str) {
    is_refused_with(&[(name, value)], &format!("{name}={value:?} is not valid; accepted is {accepts}"));
}

fn is_refused_with(settings: &[(&str, &str)], reason: &str) {
    // Were a port bound first, the error would be about the taken port and the exit code 1.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = command();
    command.env("ARGO_RUST_LISTEN", &address).env("ARGO_RUST_METRICS_LISTEN", &address);
    let output = command.envs(settings.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{settings:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("argo-rust: {reason}\n"));
}

#[tokio::test]
async fn help_names_the_routes_and_every_setting_with_its_default() {
    let output = command().arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    let routes = documents::listed_paths(&Service::start()).await;
    let help = help.strip_prefix(&format!("Serves GET {routes}.\n")).expect("the routes that a 404 names");

    // What resources set besides is theirs: their own tests look at it.
    let mut environment = Environment::new(|_| None);
    Settings::read(&mut environment).expect("the defaults are accepted");
    let (before, after) = help.split_once(environment.descriptions()).expect("the settings of every service");
    let (of_resources, after) = after.split_once("\nSIGTERM").expect("what signals do");
    for paragraph in of_resources.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let lines: Vec<&str> = paragraph.trim_matches('\n').lines().collect();
        let is_complete =
            lines[0].contains("  [default: ") && lines.len() == 3 && lines[2].starts_with("      accepts ");
        assert!(lines[0].starts_with("  ARGO_RUST_") && is_complete, "{paragraph}");
    }
    insta::assert_snapshot!("help", format!("{before}{}\nSIGTERM{after}", environment.descriptions()));
}

#[test]
fn version_names_the_crate_and_the_revision() {
    let output = command().arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "argo-rust 0.1.0 (no revision)\n");
}

#[test]
fn a_bad_setting_stops_the_start_with_the_accepted_form_before_any_port_is_bound() {
    let address = "an IP address and a port, such as [::]:8080, which is IPv4 too, or 127.0.0.1:8080";
    is_refused("ARGO_RUST_LISTEN", "8080", address);
    is_refused("ARGO_RUST_LISTEN", "localhost:8080", address);
    is_refused("ARGO_RUST_LISTEN", "", address);
    let metrics_address = "an IP address and a port, such as [::]:9090, which is IPv4 too, or 127.0.0.1:9090";
    is_refused("ARGO_RUST_METRICS_LISTEN", "127.0.0.1:70000", metrics_address);
    is_refused("ARGO_RUST_MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000");
    let timeout = "a time from 1ms to 1h, such as 10s or 500ms";
    is_refused("ARGO_RUST_HEADER_TIMEOUT", "0s", timeout);
    is_refused("ARGO_RUST_HEADER_TIMEOUT", "10", timeout);
    is_refused("ARGO_RUST_HEADER_TIMEOUT", "2h", timeout);
    let delay = "a time from 0s to 1h, such as 5s, not longer than ARGO_RUST_DRAIN_DEADLINE";
    let deadline = "a time from 0s to 1h, such as 20s, not shorter than ARGO_RUST_DRAIN_DELAY";
    is_refused("ARGO_RUST_DRAIN_DELAY", "-5s", delay);
    is_refused("ARGO_RUST_DRAIN_DEADLINE", "soon", deadline);
    let log = "a level (off, error, warn, info, debug, trace) or a list of target=level, such as warn,argo_rust=debug";
    for value in ["argo_rust=loud", "warning", "inof", "10s", "🦀", "", "info,some_target"] {
        is_refused("ARGO_RUST_LOG", value, log);
    }
    is_refused("ARGO_RUST_LOG_FORMAT", "xml", "text or json");
}

#[test]
fn a_drain_that_cannot_be_is_refused_with_both_of_its_settings() {
    let check = |settings: &[(&str, &str)], delay: &str, deadline: &str| {
        let advice = "accepted is a delay up to the deadline: set a shorter delay or a longer deadline";
        let (delay, deadline) =
            (format!("ARGO_RUST_DRAIN_DELAY ({delay})"), format!("ARGO_RUST_DRAIN_DEADLINE ({deadline})"));
        is_refused_with(settings, &format!("{delay} is longer than {deadline}; {advice}"));
    };
    check(&[("ARGO_RUST_DRAIN_DEADLINE", "3s")], "5s, the default", "3s");
    check(&[("ARGO_RUST_DRAIN_DELAY", "21s")], "21s", "20s, the default");
    check(&[("ARGO_RUST_DRAIN_DELAY", "2s"), ("ARGO_RUST_DRAIN_DEADLINE", "1500ms")], "2s", "1s 500ms");
}

#[test]
fn an_argument_that_is_not_known_is_refused_with_where_to_look() {
    let output = command().arg("--port=80").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let expected = "argo-rust: invalid option '--port'; settings come from the environment, see argo-rust --help\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn a_taken_port_ends_the_start_and_names_its_setting_whatever_is_logged() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["ARGO_RUST_LISTEN", "ARGO_RUST_METRICS_LISTEN"] {
        for log in ["off", "info"] {
            let output = command().env(setting, &address).env("ARGO_RUST_LOG", log).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{setting}");
            let expected = format!(
                "argo-rust: cannot listen on {address}: Address already in use (os error 98); \
                 free the port or set {setting} to another\n"
            );
            assert_eq!(String::from_utf8(output.stderr).unwrap(), expected, "{log}");
        }
    }
}

#[test]
fn an_address_that_is_not_of_this_machine_is_no_matter_of_a_free_port() {
    let output = command().env("ARGO_RUST_LISTEN", "192.0.2.1:8080").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let advice =
        "this machine has no such address: set ARGO_RUST_LISTEN to one that it has, or to [::] for all of them";
    assert!(said.contains("192.0.2.1:8080") && said.contains(advice) && !said.contains("free the port"), "{said}");
}

#[tokio::test]
async fn every_address_means_ipv4_and_ipv6() {
    let service = Service::start_with(&[("ARGO_RUST_LISTEN", "[::]:0"), ("ARGO_RUST_METRICS_LISTEN", "[::]:0")]);
    for (port, path) in [(service.address.port(), "/hello"), (service.metrics_address.port(), "/metrics")] {
        for host in ["127.0.0.1", "::1"] {
            let address = SocketAddr::new(host.parse().unwrap(), port);
            assert_eq!(get(address, path).await.status, 200, "{address}{path}");
        }
    }
}
