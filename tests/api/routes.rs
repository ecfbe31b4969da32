use argo_rust::fibonacci::arithmetic::digits;
use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;

use crate::client::{Connection, get, raw, read_to_end, send};
use crate::service::Service;

#[tokio::test]
async fn the_specified_requests_are_answered_byte_for_byte() {
    let service = Service::start();
    let check = async |path: &str, expected: &str| {
        let answer = get(service.address, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type"), answer.text()),
            (200, "application/json", expected),
            "{path}"
        );
    };
    check("/hello", r#"{"message":"Hello from argo-rust!"}"#).await;
    check("/fibonacci/10", r#"{"n":10,"result":55}"#).await;
    check("/fibonacci/0", r#"{"n":0,"result":0}"#).await;
    check("/fibonacci/42", r#"{"n":42,"result":267914296}"#).await;
    check("/fibonacci/93", r#"{"n":93,"result":12200160415121876738}"#).await;
    check("/fibonacci/94", r#"{"n":94,"result":19740274219868223167}"#).await;
    check("/version", r#"{"version":"0.1.0","revision":null,"image_tag":null}"#).await;
    for n in [187, 1_000, 19_000, 19_001, 1_000_000, 10_000_000] {
        check(&format!("/fibonacci/{n}"), &format!(r#"{{"n":{n},"result":{}}}"#, digits(n))).await;
    }
}

#[tokio::test]
async fn plain_text_is_the_digits_alone_and_either_form_is_cached_for_ever() {
    let service = Service::start();
    for (accept, content_type, body) in
        [("text/plain", "text/plain; charset=utf-8", "55"), ("*/*", "application/json", r#"{"n":10,"result":55}"#)]
    {
        let answer = send(service.address, "GET", "/fibonacci/10", &[("accept", accept)]).await;
        assert_eq!((answer.header("content-type"), answer.text()), (content_type, body));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("vary"), "accept");
    }
    let refused = get(service.address, "/fibonacci/x").await;
    assert_eq!(refused.header("cache-control"), "", "an error must not be kept for ever");
}

#[tokio::test]
async fn what_cannot_be_answered_gets_a_problem_that_says_what_is_accepted() {
    let service = Service::start_with(&[("ARGO_RUST_FIBONACCI_MAX", "1000")]);
    let check = async |method: &str, path: &str, status: u16, detail: &str| {
        let answer = send(service.address, method, path, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
        assert_eq!(problem["type"], "about:blank", "{method} {path}");
        assert_eq!(problem["title"], answer.status.canonical_reason().unwrap(), "{method} {path}");
        assert_eq!(problem["status"], status, "{method} {path}");
        assert_eq!(problem["detail"], detail, "{method} {path}");
    };
    const NOT_A_NUMBER: &str = "n is not a number; accepted is a whole number from 0 to 1000, in the digits 0 to 9";
    const NEGATIVE: &str = "n is negative; accepted is a whole number from 0 to 1000";
    const TOO_LARGE: &str = "n is larger than 1000; accepted is a whole number from 0 to 1000";
    check("GET", "/fibonacci/ten", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/1.5", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/+5", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/%20", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/%ff", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/1%2F2", 400, NOT_A_NUMBER).await;
    check("GET", "/fibonacci/-1", 400, NEGATIVE).await;
    check("GET", "/fibonacci/1001", 400, TOO_LARGE).await;
    check("GET", "/fibonacci/18446744073709551615", 400, TOO_LARGE).await;
    check("GET", "/fibonacci/18446744073709551616", 400, TOO_LARGE).await;
    check("GET", &format!("/fibonacci/{}", "9".repeat(5_000)), 400, TOO_LARGE).await;
    for path in ["/", "/hello/", "/fibonacci", "/fibonacci/", "/fibonacci/1/2", "/metrics", "/%ff"] {
        let there_are = "/hello, /fibonacci/{n}, /version and /openapi.json";
        check("GET", path, 404, &format!("{path} is not a path of this API; there are {there_are}")).await;
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        check(method, "/hello", 405, "this path answers GET and HEAD only").await;
        check(method, "/fibonacci/5", 405, "this path answers GET and HEAD only").await;
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
    let next = connection.get("/fibonacci/10").await.expect("the connection is still in step");
    assert_eq!(next.text(), r#"{"n":10,"result":55}"#);
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
        "GET /fibonacci/10 HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
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
