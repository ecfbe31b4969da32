use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;

use crate::client::{Connection, get, raw, read_to_end, send};
use crate::documents;
use crate::service::Service;

pub async fn is_answered(service: &Service, path: &str, expected: &str) {
    let answer = get(service.address, path).await;
    let seen = (answer.status.as_u16(), answer.header("content-type"), answer.text());
    assert_eq!(seen, (200, "application/json", expected), "{path}");
}

pub async fn is_refused(service: &Service, method: &str, path: &str, status: u16, detail: &str) {
    let answer = send(service.address, method, path, &[]).await;
    assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
    assert_eq!(problem["type"], "about:blank", "{method} {path}");
    assert_eq!(problem["title"], answer.status.canonical_reason().unwrap(), "{method} {path}");
    assert_eq!(problem["status"], status, "{method} {path}");
    assert_eq!(problem["detail"], detail, "{method} {path}");
}

#[tokio::test]
async fn the_greeting_is_json_and_the_version_names_what_is_answering() {
    let service = Service::start();
    let greeting = get(service.address, "/hello").await;
    assert_eq!((greeting.status.as_u16(), greeting.header("content-type")), (200, "application/json"));
    let greeting: serde_json::Value = serde_json::from_slice(&greeting.body).expect("the greeting is JSON");
    assert!(greeting["message"].as_str().is_some_and(|message| !message.is_empty()), "{greeting}");
    is_answered(&service, "/version", r#"{"version":"0.1.0","revision":null,"image_tag":null}"#).await;
}

#[tokio::test]
async fn what_is_no_path_or_no_method_of_it_gets_a_problem_that_says_what_is_accepted() {
    let service = Service::start();
    let there_are = documents::listed_paths(&service).await;
    for path in ["/", "/hello/", "/version/1", "/metrics", "/%ff"] {
        let detail = format!("{path} is not a path of this API; there are {there_are}");
        is_refused(&service, "GET", path, 404, &detail).await;
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        is_refused(&service, method, "/hello", 405, "this path answers GET and HEAD only").await;
        is_refused(&service, method, "/openapi.json", 405, "this path answers GET and HEAD only").await;
    }
    let answer = send(service.address, "POST", "/version", &[]).await;
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_head_request_gets_the_head_of_the_answer_alone() {
    let service = Service::start();
    let mut connection = Connection::open(service.address).await.unwrap();
    let whole = connection.get("/hello").await.unwrap().body.len().to_string();
    let head = connection.send("HEAD", "/hello", &[]).await.unwrap();
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, whole.as_str(), 0));
    let next = connection.get("/version").await.expect("the connection is still in step");
    assert!(next.text().starts_with(r#"{"version":"#), "{}", next.text());
}

#[tokio::test]
async fn a_client_that_closes_its_own_side_behind_a_request_gets_the_answer() {
    let service = Service::start();
    let greeting = get(service.address, "/hello").await;
    // Frozen, the service meets the request and the client's end at the same moment when it goes on.
    service.signal(Signal::STOP);
    let mut stream = raw(service.address, "GET /hello HTTP/1.1\r\nhost: argo-rust\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    service.signal(Signal::CONT);
    let answer = read_to_end(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&greeting.text()), "{answer}");
}

#[tokio::test]
async fn an_unread_request_body_does_not_cost_the_client_its_answer() {
    let service = Service::start();
    let body = "x".repeat(200_000);
    let request =
        format!("POST /hello HTTP/1.1\r\nhost: argo-rust\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n{body}");
    let mut stream = raw(service.address, &request).await;
    let answer = read_to_end(&mut stream).await.expect("the connection is closed, not reset");
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn no_malformed_request_ends_the_service() {
    let mut service = Service::start();
    for bytes in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /hello\r\n\r\n",
        "GET /hello HTTP/9.9\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nzzzzz",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = raw(service.address, bytes).await;
        let mut random: Vec<u8> = (0..2_000).map(|_| fastrand::u8(..)).collect();
        random.push(b'\n');
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &random).await;
        drop(stream);
    }
    let too_long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(1_000_000));
    drop(raw(service.address, &too_long[..100_000]).await);
    assert_eq!(get(service.address, "/hello").await.status, 200);
    assert!(service.is_running());
}
