use std::convert::Infallible;
use std::sync::Arc;

use super::accept::prefers_plain_text;
use super::arithmetic;
use super::calculator::Calculator;
use super::index::{IndexError, parse_index};
use crate::server::problem::Problem;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// An answer never changes, so whoever holds it need not ask again.
const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";

pub async fn fibonacci(
    State(calculator): State<Arc<Calculator>>,
    n: Result<Path<String>, PathRejection>,
    WantsPlainText(is_text): WantsPlainText,
) -> Result<Response, Problem> {
    let max = calculator.max();
    // The path extractor refuses only what is not UTF-8, which is no number either.
    let n = match n {
        Ok(Path(text)) => parse_index(&text, max)?,
        Err(_) => return Err(IndexError::NotANumber { max }.into()),
    };
    let body = match arithmetic::short(n) {
        Some(result) if is_text => Body::from(result.to_string()),
        Some(result) => Body::from(format!(r#"{{"n":{n},"result":{result}}}"#)),
        None if is_text => calculator.answer(n).await?.into_body(String::new(), ""),
        None => calculator.answer(n).await?.into_body(format!(r#"{{"n":{n},"result":"#), "}"),
    };
    let content_type = if is_text { "text/plain; charset=utf-8" } else { "application/json" };
    let headers =
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, CACHE_FOREVER), (header::VARY, "accept")]
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, body).into_response())
}

/// Looks at the headers where they are: axum's own extractor would copy all of them.
pub struct WantsPlainText(bool);

impl<S: Sync> FromRequestParts<S> for WantsPlainText {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(prefers_plain_text(&parts.headers)))
    }
}
