use axum::Extension;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;

use crate::error::Problem;

/// The rendered document, made once at start-up.
#[derive(Clone)]
pub struct Document(Bytes);

impl Document {
    pub fn new(document: &utoipa::openapi::OpenApi) -> Self {
        // Serialising a document of plain strings and numbers cannot fail.
        Self(document.to_pretty_json().unwrap_or_default().into())
    }
}

/// This API, described in OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses(
        (status = 200, description = "The OpenAPI document", body = serde_json::Value, content_type = "application/json"),
        (status = 405, description = "A method other than GET or HEAD", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn openapi(Extension(Document(document)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document)
}
