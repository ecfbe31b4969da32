use std::time::Duration;

use argo_rust::fibonacci::arithmetic::digits;
use rustix::process::Signal;
use tokio::time::sleep;

use crate::client::{Connection, get, value};
use crate::service::{Service, command};
use crate::settings::is_refused;

#[test]
fn the_largest_n_is_a_setting() {
    let help = command().arg("--help").output().unwrap().stdout;
    let expected = "
  ARGO_RUST_FIBONACCI_MAX  [default: 10000000]
      the largest n that /fibonacci/{n} computes
      accepts a whole number from 0 to 10000000
";
    assert!(String::from_utf8(help).unwrap().contains(expected));
    for value in ["-1", "10000001", "1e6", ""] {
        is_refused("ARGO_RUST_FIBONACCI_MAX", value, "a whole number from 0 to 10000000");
    }
}

#[tokio::test]
async fn requests_are_counted_by_the_route_and_computations_by_themselves() {
    let service = Service::start();
    for n in ["10", "20", "x", "50000"] {
        get(service.address, &format!("/fibonacci/{n}")).await;
    }
    let check = async |series: &str, expected: f64| {
        assert_eq!(value(service.metrics_address, series).await, Some(expected), "{series}");
    };
    check(r#"http_requests_total{method="GET",route="/fibonacci/{n}",status="200"}"#, 3.0).await;
    check(r#"http_requests_total{method="GET",route="/fibonacci/{n}",status="400"}"#, 1.0).await;
    check("fibonacci_queue_length", 0.0).await;
    check("fibonacci_computation_duration_seconds_count", 1.0).await;
}

#[tokio::test]
async fn a_computation_in_flight_is_answered_to_its_end() {
    let mut service = Service::start();
    let mut connection = Connection::open(service.address).await.unwrap();
    let answer = tokio::spawn(async move { connection.get("/fibonacci/1000000").await });
    sleep(Duration::from_millis(10)).await;
    service.signal(Signal::INT);
    let answer = answer.await.unwrap().expect("the answer arrives");
    assert_eq!(answer.text(), format!(r#"{{"n":1000000,"result":{}}}"#, digits(1_000_000)));
    assert_eq!(service.ended_within(Duration::from_secs(2)).await.code(), Some(0));
}
