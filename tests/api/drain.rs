use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::client::{Connection, get, raw, read_to_end, stuck_reader};
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
async fn during_the_delay_every_answer_says_connection_close_and_hello_stays_ok() {
    let service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", "10s")]);
    let mut connection = Connection::open(service.address).await.unwrap();
    assert_eq!(connection.get("/hello").await.unwrap().header("connection"), "");
    service.signal(Signal::TERM);
    while !service.has_logged("SIGTERM") {
        sleep(Duration::from_millis(5)).await;
    }
    let last = connection.get("/hello").await.expect("an open connection is answered");
    assert_eq!((last.status.as_u16(), last.header("connection")), (200, "close"));
    let fresh = get(service.address, "/version").await;
    assert_eq!((fresh.status.as_u16(), fresh.header("connection")), (200, "close"));
}

#[tokio::test]
async fn sigint_ends_without_the_delay() {
    let mut service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", "10s")]);
    service.signal(Signal::INT);
    assert_eq!(service.ended_within(2 * SECOND).await.code(), Some(0));
}

#[tokio::test]
async fn a_second_sigterm_does_not_shorten_the_drain_and_sigint_does() {
    let mut service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", "10s")]);
    service.signal(Signal::TERM);
    service.signal(Signal::TERM);
    sleep(SECOND / 2).await;
    service.signal(Signal::TERM);
    sleep(SECOND / 2).await;
    assert_eq!(get(service.address, "/hello").await.status, 200, "still in the delay");
    service.signal(Signal::INT);
    assert_eq!(service.ended_within(2 * SECOND).await.code(), Some(0));
}

#[tokio::test]
async fn what_is_in_a_socket_when_the_stop_comes_is_answered() {
    let mut service = Service::start();
    let greeting = get(service.address, "/hello").await;
    let mut kept = raw(service.address, HELLO).await;
    let mut half_sent = raw(service.address, &HELLO[..20]).await;
    let mut connected = raw(service.address, "").await;
    kept.readable().await.unwrap();
    let mut first_answer = [0; 1_024];
    kept.try_read(&mut first_answer).expect("the first answer has arrived");

    // Frozen, the service meets the signal and all of these at the same moment when it goes on.
    service.signal(Signal::STOP);
    kept.write_all(HELLO.as_bytes()).await.unwrap();
    half_sent.write_all(&HELLO.as_bytes()[20..]).await.unwrap();
    let mut in_the_backlog = raw(service.address, HELLO).await;
    service.signal(Signal::INT);
    service.signal(Signal::CONT);
    // This one has a connection and its request is still on its way.
    sleep(Duration::from_millis(100)).await;
    connected.write_all(HELLO.as_bytes()).await.unwrap();

    for (name, stream) in [
        ("kept", &mut kept),
        ("half sent", &mut half_sent),
        ("in the backlog", &mut in_the_backlog),
        ("connected", &mut connected),
    ] {
        let answer = read_to_end(stream).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{name}: {answer:?}");
        assert!(answer.ends_with(greeting.text()), "{name}: {answer:?}");
    }
    assert_eq!(service.ended_within(3 * SECOND).await.code(), Some(0));
}

#[tokio::test]
async fn at_the_deadline_the_process_ends_whatever_is_in_flight() {
    let mut service = Service::start_with(&[("ARGO_RUST_DRAIN_DELAY", "0s"), ("ARGO_RUST_DRAIN_DEADLINE", "300ms")]);
    let half_sent = stuck_reader(service.address).await;
    let signalled = Instant::now();
    service.signal(Signal::TERM);
    assert_eq!(service.ended_within(SECOND).await.code(), Some(0));
    assert!(signalled.elapsed() >= Duration::from_millis(290), "ended after {:?}", signalled.elapsed());
    assert!(service.has_logged("drain deadline reached"));
    drop(half_sent);
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
