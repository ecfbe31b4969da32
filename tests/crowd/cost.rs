//! What a connection costs in memory, at its worst and while it is quiet.

use std::time::{Duration, Instant};

use argo_rust::server::head::LONGEST_HEAD;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{sleep, timeout};

use crate::client::{Connection, get, raw, read_to_end, value};
use crate::service::Service;

const SECOND: Duration = Duration::from_secs(1);

fn resident_kilobytes(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn two_thousand_of_the_longest_heads_cost_little_and_are_closed_in_time() {
    const CONNECTIONS: u32 = 2_000;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let service = Service::start_with(&[("ARGO_RUST_HEADER_TIMEOUT", "6s")]);
    let before = resident_kilobytes(&service);
    let mut idle = Vec::new();
    let mut head = "GET /hello HTTP/1.1\r\nhost: a\r\nx-a: ".to_owned();
    // All but the end, so that every connection has its buffer, and has it full.
    head.extend(std::iter::repeat_n('a', LONGEST_HEAD - 1 - head.len()));
    for _ in 0..CONNECTIONS {
        idle.push(raw(service.address, &head).await);
    }
    let answer = timeout(3 * SECOND, get(service.address, "/hello")).await.expect("an answer beside the flood");
    assert_eq!(answer.status, 200);
    let open = value(service.metrics_address, "http_connections_open").await.unwrap();
    assert!(open >= f64::from(CONNECTIONS), "only {open} connections were open at once");
    let cost = resident_kilobytes(&service) - before;
    println!("figures: {CONNECTIONS} connections with the longest head cost {cost} kB resident");
    // 27 kB each is what k8s/deployment.yaml says, and tests/delivery reckons with 32.
    assert!(cost < u64::from(CONNECTIONS) * 27, "{CONNECTIONS} connections cost {cost} kB");

    let started = Instant::now();
    for mut stream in idle {
        let end = timeout(10 * SECOND, read_to_end(&mut stream)).await.expect("the service closes the connection");
        end.expect("the connection is closed, not reset");
    }
    assert!(started.elapsed() < 9 * SECOND, "the flood was closed only after {:?}", started.elapsed());
    while value(service.metrics_address, "http_connections_open").await != Some(0.0) {
        assert!(started.elapsed() < 12 * SECOND, "a connection is still open");
        sleep(SECOND / 20).await;
    }
}

#[tokio::test]
async fn a_quiet_connection_gives_back_its_buffers_and_is_answered_again() {
    const CONNECTIONS: u64 = 2_000;
    let service = Service::start();
    let before = resident_kilobytes(&service);
    let mut quiet = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(service.address).await.unwrap();
        assert_eq!(connection.get("/hello").await.unwrap().status, 200);
        quiet.push(connection);
        // Slower than all at once, which would need the buffers of all at once.
        sleep(Duration::from_micros(500)).await;
    }
    let cost = resident_kilobytes(&service) - before;
    println!("figures: {CONNECTIONS} connections cost {cost} kB resident after an answer each");
    assert!(cost < CONNECTIONS * 8, "{CONNECTIONS} quiet connections cost {cost} kB");
    for connection in &mut quiet {
        assert_eq!(connection.get("/hello").await.expect("a quiet connection is kept").status, 200);
    }
}
