use std::time::{Duration, Instant};

use argo_rust::fibonacci::arithmetic::digits;
use tokio::io::{copy, sink};
use tokio::task::JoinSet;

use crate::client::{Connection, get, raw, value};
use crate::service::Service;

const LARGEST: &str = "/fibonacci/10000000";

#[tokio::test]
async fn a_full_queue_answers_503_with_when_to_come_back_and_loses_no_other_answer() {
    let service = Service::start();
    let expected = format!(r#"{{"n":10000000,"result":{}}}"#, digits(10_000_000));
    let mut requests = JoinSet::new();
    for _ in 0..400 {
        let address = service.address;
        requests.spawn(async move { get(address, LARGEST).await });
    }
    let (mut answered, mut refused) = (0, 0);
    for answer in requests.join_all().await {
        match answer.status.as_u16() {
            200 => {
                assert_eq!(answer.text(), expected);
                answered += 1;
            }
            503 => {
                assert_eq!(answer.header("retry-after"), "1");
                let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                assert!(problem["detail"].as_str().unwrap().contains("try again in a second"), "{problem}");
                refused += 1;
            }
            status => panic!("status {status}: {}", answer.text()),
        }
    }
    println!("figures: of 400 largest requests at once {answered} answered, {refused} refused");
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    assert_eq!(get(service.address, LARGEST).await.status, 200, "the queue is free again");
}

#[tokio::test]
async fn clients_that_leave_give_their_places_in_the_queue_back() {
    let service = Service::start();
    let queue_length = async || value(service.metrics_address, "fibonacci_queue_length").await.unwrap();
    let request = format!("GET {LARGEST} HTTP/1.1\r\nhost: argo-rust\r\n\r\n");
    let alone = Instant::now();
    get(service.address, LARGEST).await;
    let alone = alone.elapsed();

    let mut clients = Vec::new();
    while queue_length().await < 3.0 {
        clients.push(raw(service.address, &request).await);
        assert!(clients.len() < 400, "the queue stays shorter than 3 with {} clients", clients.len());
    }
    drop(clients);
    let left = Instant::now();
    while queue_length().await > 0.0 {
        assert!(left.elapsed() < alone, "they are still waited for after {:?}", left.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("figures: one computation {alone:?}, the queue empty {:?} after its clients had left", left.elapsed());
}

#[tokio::test]
async fn hello_stays_quick_while_every_slot_computes_the_largest_number() {
    let service = Service::start();
    let address = service.address;
    let mut flood = JoinSet::new();
    // As many as find a place beside one slot. Their answers are thrown away unread, so that what is measured below is
    // the service and not these clients.
    for _ in 0..6 {
        flood.spawn(async move {
            let request = format!("GET {LARGEST} HTTP/1.1\r\nhost: argo-rust\r\nconnection: close\r\n\r\n");
            loop {
                copy(&mut raw(address, &request).await, &mut sink()).await.unwrap();
            }
        });
    }
    // The flood has begun once one of its answers is there.
    get(address, LARGEST).await;
    let mut connection = Connection::open(address).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..400 {
        let started = Instant::now();
        connection.get("/hello").await.unwrap();
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort();
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("figures: /hello beside a full queue: median {median:?}, p99 {p99:?}");
    // Behind computations it would wait for several of them; a busy machine may hold up one answer of a hundred.
    assert!(median < Duration::from_millis(25) && p99 < Duration::from_millis(250), "median {median:?}, p99 {p99:?}");
    flood.abort_all();
}
