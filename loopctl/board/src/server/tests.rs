//! The board over HTTP, as browsers and others ask it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tokio::sync::watch;

use super::*;
use crate::page::tests::{moving, shop};

/// A board of one made service, on a thread of its own; the sender changes what is seen.
fn board() -> (SocketAddr, watch::Sender<Arc<Vec<Arc<Service>>>>) {
    let (sender, seen) = watch::channel(Arc::new(vec![Arc::new(shop())]));
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
            let parts = Parts::follow(seen.clone());
            serve(listener, vec!["board.example".into()], seen, parts).await.expect("it serves");
        });
    });
    (told.recv().expect("it listens"), sender)
}

/// Head and body, until the other side closes.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request =
        request.replace('\n', "\r\n").replace("HOST", &format!("Host: {address}")) + "\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn only_names_of_this_machine_and_those_that_were_allowed_are_answered() {
    let (address, _seen) = board();
    for (host, expected) in [
        ("localhost", "200 OK"),
        ("localhost:8080", "200 OK"),
        ("127.0.0.1", "200 OK"),
        ("[::1]:80", "200 OK"),
        ("board.example", "200 OK"),
        ("BOARD.example:443", "200 OK"),
        ("evil.example", "421 Misdirected Request"),
        ("localhost.evil.example", "421 Misdirected Request"),
        ("127.0.0.1.evil.example", "421 Misdirected Request"),
        ("localhost:80:80", "421 Misdirected Request"),
        ("", "421 Misdirected Request"),
    ] {
        let answer = ask(address, &format!("GET / HTTP/1.1\nHost: {host}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{host:?}: {answer:.80}");
        assert!(
            answer.contains("content-security-policy: default-src 'none'; script-src 'self'"),
            "{host:?}: {answer}"
        );
    }
}

#[test]
fn nothing_can_be_changed_and_no_other_site_gets_the_data() {
    let (address, _seen) = board();
    for (request, expected) in [
        ("POST / HTTP/1.1\nHOST\nContent-Length: 0", "405 Method Not Allowed"),
        ("DELETE /api/commits HTTP/1.1\nHOST", "405 Method Not Allowed"),
        ("HEAD / HTTP/1.1\nHOST", "200 OK"),
        ("GET /api/commits HTTP/1.1\nHOST\nSec-Fetch-Site: cross-site", "403 Forbidden"),
        ("GET /metrics HTTP/1.1\nHOST\nSec-Fetch-Site: same-site", "403 Forbidden"),
        ("GET /api/commits HTTP/1.1\nHOST\nSec-Fetch-Site: same-origin", "200 OK"),
        ("GET / HTTP/1.1\nHOST\nSec-Fetch-Site: cross-site", "200 OK"),
        ("GET /nowhere HTTP/1.1\nHOST", "404 Not Found"),
    ] {
        let answer = ask(address, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{request}: {answer:.80}");
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{request}");
    }
}

#[test]
fn the_api_says_what_where_says_of_each_commit() {
    let (address, _seen) = board();
    let answer = ask(address, "GET /api/commits HTTP/1.1\nHOST");
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    let commits: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let states: Vec<&str> =
        commits.as_array().expect("a list").iter().filter_map(|each| each["state"].as_str()).collect();
    assert_eq!(states, ["moving", "failed", "live"]);
    assert_eq!(commits[0]["hops"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_viewer_is_sent_what_changes_and_after_a_break_what_was_missed() {
    let (address, seen) = board();
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    write!(stream, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it is taken");
    let mut read = |until: &str| {
        let mut text = String::new();
        let mut piece = [0; 65_536];
        while !text.contains(until) {
            let count = stream.read(&mut piece).unwrap_or_else(|error| panic!("{until} did not come: {error}; {text}"));
            text += &String::from_utf8_lossy(&piece[..count]);
        }
        text
    };
    let first = read("Add a route");
    assert!(first.contains("id: ") && first.contains("head-shop"), "{first:.300}");
    let mut changed = shop();
    changed.rows[0] = moving("Add two routes");
    seen.send(Arc::new(vec![Arc::new(changed)])).expect("somebody listens");
    let second = read("Add two routes");
    assert!(!second.contains("head-shop"), "only what has changed: {second:.300}");
    let known = first.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    drop(stream);

    let mut again = TcpStream::connect(address).expect("it listens");
    write!(again, "GET /api/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {known}\r\n\r\n")
        .expect("it is taken");
    let mut piece = [0; 65_536];
    let mut text = String::new();
    while !text.contains("Add two routes") {
        let count = again.read(&mut piece).expect("what was missed");
        text += &String::from_utf8_lossy(&piece[..count]);
    }
    assert!(!text.contains("head-shop"), "{text:.300}");
}

#[test]
fn the_metrics_are_what_a_prometheus_reads() {
    let (address, _seen) = board();
    let answer = ask(address, "GET /metrics HTTP/1.1\nHOST");
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    let timeless: String = body
        .lines()
        .filter(|line| !line.contains("_seconds{") || line.contains("hop="))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!("metrics", timeless);
}
