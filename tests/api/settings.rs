use std::net::TcpListener;

use crate::service::command;

#[test]
fn help_lists_every_setting_with_its_default() {
    let output = command().arg("--help").output().unwrap();
    assert!(output.status.success());
    insta::assert_snapshot!("help", String::from_utf8(output.stdout).unwrap());
}

#[test]
fn version_names_the_crate_and_the_revision() {
    let output = command().arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "argo-rust 0.1.0 (no revision)\n");
}

#[test]
fn a_bad_setting_stops_the_start_with_the_accepted_form_before_any_port_is_bound() {
    // Were a port bound first, the error would be about the taken port and the exit code 1.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let check = |name: &str, value: &str, accepts: &str| {
        let output = command()
            .env("ARGO_RUST_LISTEN", taken.local_addr().unwrap().to_string())
            .env("ARGO_RUST_METRICS_LISTEN", taken.local_addr().unwrap().to_string())
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{name}={value}");
        let expected = format!("argo-rust: {name}={value:?} is not valid; accepted is {accepts}\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    };
    let address = "an IP address and a port, such as 0.0.0.0:8080 or [::1]:8080";
    check("ARGO_RUST_LISTEN", "8080", address);
    check("ARGO_RUST_LISTEN", "localhost:8080", address);
    check("ARGO_RUST_LISTEN", "", address);
    let metrics_address = "an IP address and a port, such as 0.0.0.0:9090 or 127.0.0.1:9090";
    check("ARGO_RUST_METRICS_LISTEN", "127.0.0.1:70000", metrics_address);
    let max = "a whole number from 0 to 10000000";
    check("ARGO_RUST_FIBONACCI_MAX", "-1", max);
    check("ARGO_RUST_FIBONACCI_MAX", "10000001", max);
    check("ARGO_RUST_FIBONACCI_MAX", "1e6", max);
    check("ARGO_RUST_MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000");
    let timeout = "a time from 1ms to 1h, such as 10s or 500ms";
    check("ARGO_RUST_HEADER_TIMEOUT", "0s", timeout);
    check("ARGO_RUST_HEADER_TIMEOUT", "10", timeout);
    check("ARGO_RUST_HEADER_TIMEOUT", "2h", timeout);
    let delay = "a time from 0s to 1h, such as 5s, not longer than ARGO_RUST_DRAIN_DEADLINE";
    check("ARGO_RUST_DRAIN_DELAY", "-5s", delay);
    check("ARGO_RUST_DRAIN_DELAY", "21s", delay);
    check("ARGO_RUST_DRAIN_DEADLINE", "soon", "a time from 0s to 1h, such as 20s");
    let log = "a level (off, error, warn, info, debug, trace) or a list of target=level, such as warn,argo_rust=debug";
    check("ARGO_RUST_LOG", "argo_rust=loud", log);
    check("ARGO_RUST_LOG_FORMAT", "xml", "text or json");
}

#[test]
fn an_argument_that_is_not_known_is_refused_with_where_to_look() {
    let output = command().arg("--port=80").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let expected = "argo-rust: invalid option '--port'; settings come from the environment, see argo-rust --help\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn a_taken_port_ends_the_start_and_names_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["ARGO_RUST_LISTEN", "ARGO_RUST_METRICS_LISTEN"] {
        let output = command().env(setting, &address).env("ARGO_RUST_LOG_FORMAT", "text").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{setting}");
        let log = String::from_utf8(output.stdout).unwrap();
        let advice = format!("cannot listen on {address}: Address already in use (os error 98); ");
        assert!(log.contains(&advice) && log.contains(&format!("set {setting} to another")), "{log}");
    }
}
