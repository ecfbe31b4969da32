use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// An error as RFC 9457 describes it: what happened, and what would be accepted.
#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

/// The same in OpenAPI.
pub const SCHEMA: &str = r#"{
  "type": "object",
  "description": "An error as RFC 9457 describes it: what happened, and what would be accepted.",
  "required": ["type", "title", "status", "detail"],
  "properties": {
    "type": {
      "type": "string",
      "description": "Always `about:blank`: the status says which kind of problem it is.",
      "example": "about:blank"
    },
    "title": { "type": "string", "description": "The status in words.", "example": "Method Not Allowed" },
    "status": { "type": "integer", "minimum": 400, "maximum": 599, "example": 405 },
    "detail": {
      "type": "string",
      "description": "A sentence for people that says what is accepted.",
      "example": "this path answers GET and HEAD only"
    }
  }
}"#;

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// axum adds the Allow header.
    pub fn method_not_allowed(allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this path answers {allowed} only"))
    }

    /// Its answer tells the client to come back in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
