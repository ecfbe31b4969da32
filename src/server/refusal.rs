use std::time::SystemTime;

use axum::http::StatusCode;
use tokio::io::AsyncWriteExt as _;

use super::head::LONGEST_HEAD;
use super::problem::Problem;
use super::stream::Stream;

/// Answers a head that hyper has refused. hyper's own answer is empty, and none for some errors; `begun` is what has
/// come of the head, where hyper still has it.
pub async fn refuse(stream: &mut Stream, error: &hyper::Error, begun: &[u8]) -> StatusCode {
    let (status, detail) = match error.is_parse_too_large() {
        true => too_long(begun),
        false => (StatusCode::BAD_REQUEST, format!("the request cannot be read: {error}; accepted is HTTP/1.1")),
    };
    let body = serde_json::to_vec(&Problem::new(status, detail)).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\
         date: {}\r\n\r\n",
        body.len(),
        httpdate::fmt_http_date(SystemTime::now()),
    );
    stream.activity.answers();
    // A client that has gone meanwhile needs no answer.
    let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
    status
}

/// Which part of a head is too long, and the status that RFC 9112, 3, and RFC 6585, 5, have for it.
fn too_long(begun: &[u8]) -> (StatusCode, String) {
    let (status, part) = match begun.iter().find(|byte| matches!(byte, b' ' | b'\n')) {
        None => (StatusCode::NOT_IMPLEMENTED, "no method is that long"),
        Some(_) if !begun.contains(&b'\n') => (StatusCode::URI_TOO_LONG, "the target is too long"),
        Some(_) => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too long, or too many"),
    };
    (status, format!("{part}; accepted are up to 100 headers, {LONGEST_HEAD} bytes with the request line"))
}
