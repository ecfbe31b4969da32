use crate::client::{Connection, get, send, value};
use crate::service::Service;

#[tokio::test]
async fn requests_are_counted_and_timed_by_method_matched_route_and_status() {
    let service = Service::start();
    for path in ["/hello", "/hello", "/version", "/secret/scanner/path"] {
        get(service.address, path).await;
    }
    send(service.address, "BREW", "/hello", &[]).await;
    let check = async |labels: &str, expected: f64| {
        for series in [format!("http_requests_total{labels}"), format!("http_request_duration_seconds_count{labels}")] {
            assert_eq!(value(service.metrics_address, &series).await, Some(expected), "{series}");
        }
    };
    check(r#"{method="GET",route="/hello",status="200"}"#, 2.0).await;
    check(r#"{method="GET",route="/version",status="200"}"#, 1.0).await;
    check(r#"{method="GET",route="none",status="404"}"#, 1.0).await;
    check(r#"{method="other",route="/hello",status="405"}"#, 1.0).await;
    let text = get(service.metrics_address, "/metrics").await;
    assert!(!text.text().contains("secret") && !text.text().contains("BREW"), "a client chose a label");
}

#[tokio::test]
async fn open_connections_and_the_build_are_shown() {
    let service = Service::start();
    let mut connection = Connection::open(service.address).await.unwrap();
    connection.get("/hello").await.unwrap();
    let check = async |series: &str, expected: f64| {
        assert_eq!(value(service.metrics_address, series).await, Some(expected), "{series}");
    };
    check("http_connections_open", 1.0).await;
    check(r#"argo_rust_build_info{version="0.1.0",revision="none"}"#, 1.0).await;
}

#[tokio::test]
async fn metrics_are_open_metrics_on_the_second_listener_only() {
    let service = Service::start();
    let answer = get(service.metrics_address, "/metrics").await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text().ends_with("# EOF\n"), "{}", answer.text());
    assert_eq!(get(service.address, "/metrics").await.status, 404);
    assert_eq!(get(service.metrics_address, "/hello").await.status, 404);
}
