use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{Connection, raw, read_to_end, stuck_reader, value};
use crate::service::Service;

const SECOND: Duration = Duration::from_secs(1);

async fn closed_after(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let end = timeout(10 * SECOND, read_to_end(stream)).await.expect("the service closes the connection");
    end.expect("the connection is closed, not reset");
    started.elapsed()
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_head_is_closed() {
    let service = Service::start_with(&[("ARGO_RUST_HEADER_TIMEOUT", "400ms")]);
    let check = async |sent: &str| {
        let mut stream = raw(service.address, sent).await;
        let time = closed_after(&mut stream).await;
        assert!((Duration::from_millis(350)..2 * SECOND).contains(&time), "{sent:?} was closed after {time:?}");
    };
    check("").await;
    check("GET /hello HTTP/1.1\r\n").await;
    check("GET /hello HTTP/1.1\r\nhost: argo-rust\r\nx-slow: ").await;
}

#[tokio::test]
async fn a_trickle_of_header_bytes_does_not_extend_the_time() {
    let service = Service::start_with(&[("ARGO_RUST_HEADER_TIMEOUT", "500ms")]);
    let mut stream = raw(service.address, "GET /hello HTTP/1.1\r\n").await;
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        loop {
            if tokio::io::AsyncWriteExt::write_all(&mut writer, b"x: y\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let started = Instant::now();
    let mut bytes = Vec::new();
    tokio::select! {
        _ = reader.read_to_end(&mut bytes) => {}
        () = trickle => {}
        () = sleep(10 * SECOND) => panic!("the service still listens to the trickle"),
    }
    assert!(started.elapsed() < 2 * SECOND, "closed only after {:?}", started.elapsed());
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_kept() {
    let service = Service::start_with(&[("ARGO_RUST_HEADER_TIMEOUT", "400ms")]);
    let mut busy = Connection::open(service.address).await.unwrap();
    let mut idle = raw(service.address, "GET /hello HTTP/1.1\r\nhost: argo-rust\r\n\r\n").await;
    let idle_closed = tokio::spawn(async move { closed_after(&mut idle).await });
    for _ in 0..10 {
        busy.get("/hello").await.expect("a request each 100 ms keeps the connection");
        sleep(Duration::from_millis(100)).await;
    }
    let time = idle_closed.await.unwrap();
    assert!(time < 2 * SECOND, "the idle connection was closed after {time:?}");
}

#[tokio::test]
async fn a_head_in_two_parts_is_answered_and_its_connection_kept() {
    let service = Service::start();
    let mut stream = raw(service.address, "GET /hello HTTP/1.1\r\nhost: argo-rust\r\n\r\nGET /hello HT").await;
    for rest in
        ["TP/1.1\r\nhost: argo-rust\r\n\r\nGET", " /hello HTTP/1.1\r\nhost: argo-rust\r\nconnection: close\r\n\r\n"]
    {
        // Longer than a connection keeps its buffers while no head is finished.
        sleep(Duration::from_millis(600)).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, rest.as_bytes()).await.unwrap();
    }
    let answers = read_to_end(&mut stream).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{answers:?}");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_closed_and_its_place_is_free() {
    let service = Service::start_with(&[("ARGO_RUST_HEADER_TIMEOUT", "500ms")]);
    let stream = stuck_reader(service.address).await;
    assert_eq!(value(service.metrics_address, "http_connections_open").await, Some(1.0));
    no_connection_is_open(&service).await;
    drop(stream);
}

async fn no_connection_is_open(service: &Service) {
    let started = Instant::now();
    while value(service.metrics_address, "http_connections_open").await != Some(0.0) {
        assert!(started.elapsed() < 10 * SECOND, "a connection is still open");
        sleep(Duration::from_millis(50)).await;
    }
}
