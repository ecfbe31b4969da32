use axum::Json;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// An error as RFC 9457 describes it: what happened, and what would be accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says which kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    #[schema(example = "Bad Request")]
    title: &'static str,
    #[schema(example = 400, minimum = 400, maximum = 599)]
    status: u16,
    /// A sentence for people that says what is accepted.
    #[schema(example = "n is larger than 10000000; accepted is a whole number from 0 to 10000000")]
    detail: String,
}

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

    /// Its answer tells the client to come back in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

/// The fallback for a path that is no route.
pub async fn not_found(uri: Uri) -> Problem {
    const ROUTES: &str = "/hello, /fibonacci/{n}, /version and /openapi.json";
    // The beginning is enough of a path that is as long as a head may be.
    let path = uri.path().get(..100).unwrap_or(uri.path());
    Problem::new(StatusCode::NOT_FOUND, format!("{path} is not a path of this API; there are {ROUTES}"))
}

/// The fallback for a route that has no such method; axum adds the Allow header.
pub async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path answers GET and HEAD only")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
