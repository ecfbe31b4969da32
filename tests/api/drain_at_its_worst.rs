//! The stop under load, and with clients and readers that are in its way.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::sleep;

use crate::client::{get, raw};
use crate::load::{Connections, Load, Report};
use crate::service::{Service, command};

const SECOND: Duration = Duration::from_secs(1);
const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: argo-rust\r\n\r\n";

/// 2,000 requests a second, half on kept connections, over a SIGTERM and as long after it as routing may take.
async fn load_over_sigterm(delay: &str) -> Report {
    let mut service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", delay)]);
    let mut load = Load::new();
    load.add(service.address, "/hello", Connections::KeptAlive, 20, 900);
    load.add(service.address, "/hello", Connections::FreshEachTime, 20, 1_000);
    load.add(service.address, "/version", Connections::KeptAlive, 10, 100);
    sleep(SECOND).await;
    let signalled = Instant::now();
    service.signal(Signal::TERM);
    sleep(SECOND).await;
    let report = load.end().await;
    let status = service.ended_within(20 * SECOND).await;
    assert_eq!(status.code(), Some(0));
    println!(
        "figures: drain delay {delay}: {} requests, {} failed, exit 0 after {:?}",
        report.requests,
        report.failures.len(),
        signalled.elapsed()
    );
    report
}

#[tokio::test]
async fn sigterm_under_load_loses_no_request() {
    let report = load_over_sigterm("2s").await;
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(report.requests > 500, "only {} requests were sent", report.requests);
    assert!(report.closes > 50, "only {} answers said Connection: close", report.closes);
}

#[tokio::test]
async fn without_the_delay_the_same_load_does_lose_requests() {
    let report = load_over_sigterm("0s").await;
    assert!(!report.failures.is_empty(), "this check could not see a lost request");
}

#[tokio::test]
async fn a_head_that_never_ends_has_half_a_second_after_the_stop() {
    let check = async |begun: &str| {
        let mut service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", "0s")]);
        let stream = raw(service.address, begun).await;
        sleep(Duration::from_millis(100)).await;
        let signalled = Instant::now();
        service.signal(Signal::TERM);
        assert_eq!(service.ended_within(2 * SECOND).await.code(), Some(0), "{begun:?}");
        println!("figures: {begun:?}: ended {:?} after the signal", signalled.elapsed());
        drop(stream);
    };
    check("GET /hello HT").await;
    check(&format!("{HELLO}GET /hello HT")).await;
    check(&format!("GET /hello HTTP/1.1\r\nx-a: {}", "a".repeat(16_000))).await;
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_hold_the_drain() {
    let free_port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (address, metrics_address) = (free_port(), free_port());
    let (_nobody_reads, mut log) = std::io::pipe().unwrap();
    let mut process = command()
        .env("ARGO_RUST_LISTEN", address.to_string())
        .env("ARGO_RUST_METRICS_LISTEN", metrics_address.to_string())
        .envs([("ARGO_RUST_DRAIN_DELAY", "0s"), ("ARGO_RUST_DRAIN_DEADLINE", "1s")])
        .stdout(log.try_clone().unwrap())
        .spawn()
        .unwrap();
    while std::net::TcpStream::connect(address).is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    // Blocks as soon as the pipe is full, as every line of the service does from then on.
    std::thread::spawn(move || while std::io::Write::write_all(&mut log, &[b'x'; 1_024]).is_ok() {});
    sleep(SECOND / 4).await;
    assert_eq!(get(address, "/hello").await.status, 200);
    let signalled = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&process), Signal::TERM).unwrap();
    while process.try_wait().unwrap().is_none() {
        assert!(signalled.elapsed() < 2 * SECOND, "the process lives beyond its deadline");
        sleep(Duration::from_millis(10)).await;
    }
}
