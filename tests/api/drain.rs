use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::client::{Connection, get, raw, read_to_end, stuck_reader};
use crate::service::Service;

const SECOND: Duration = Duration::from_secs(1);
const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: argo-rust\r\n\r\n";

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
