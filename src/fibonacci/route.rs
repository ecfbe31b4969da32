use std::convert::Infallible;
use std::str::FromStr as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use headers_accept::Accept;
use mediatype::{MediaType, media_type};
use utoipa::ToSchema;

use super::arithmetic;
use super::calculator::Calculator;
use super::index::{IndexError, parse_index};
use crate::server::problem::Problem;

// How an answer reads as JSON. Its digits are written as they come, because no serializer takes a number in pieces.
#[derive(ToSchema)]
pub struct Fibonacci {
    #[schema(example = 10)]
    pub n: u64,
    /// The exact nth Fibonacci number, however many digits it has.
    #[schema(value_type = u64, example = 55)]
    pub result: (),
}

const JSON: MediaType = media_type!(APPLICATION / JSON);
const PLAIN_TEXT: MediaType = media_type!(TEXT / PLAIN);

/// An answer never changes, so whoever holds it need not ask again.
const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";

/// Computes the nth Fibonacci number, exactly.
///
/// Many JSON parsers round numbers beyond 2^53, which is every n above 78: ask for `text/plain`, or parse with a
/// library that keeps all digits.
#[utoipa::path(
    get,
    path = "/fibonacci/{n}",
    params(("n" = u64, Path, description = "From 0 to ARGO_RUST_FIBONACCI_MAX (10000000 where it is not set)")),
    responses(
        (
            status = 200,
            description = "The number; `Accept: text/plain` gets the digits alone",
            content(
                (Fibonacci = "application/json", example = json!({ "n": 10, "result": 55 })),
                (String = "text/plain", example = "55"),
            ),
            headers(("Cache-Control" = String, description = "public, max-age=31536000, immutable")),
        ),
        (status = 400, description = "n is not a whole number from 0 to the maximum", body = Problem, content_type = "application/problem+json"),
        (status = 405, description = "A method other than GET or HEAD", body = Problem, content_type = "application/problem+json"),
        (
            status = 503,
            description = "Too many long computations wait already",
            body = Problem,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds to wait")),
        ),
    )
)]
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
        Ok(Self(wants_plain_text(&parts.headers)))
    }
}

fn wants_plain_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.and_then(|text| Accept::from_str(text).ok());
    // JSON stands first: it is what an unreadable or indifferent Accept header gets.
    accept.is_some_and(|accept| accept.negotiate(&[JSON, PLAIN_TEXT]) == Some(&PLAIN_TEXT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_sent_only_to_who_prefers_it() {
        let check = |accept: &str, expected: bool| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a header value"))]);
            assert_eq!(wants_plain_text(&headers), expected, "{accept:?}");
        };
        check("text/plain", true);
        check("text/*", true);
        check("text/plain, application/json;q=0.9", true);
        check("application/json, text/plain;q=0.9", false);
        check("text/plain;q=0.1, */*", false);
        check("*/*", false);
        check("application/json", false);
        check("text/html,application/xhtml+xml,*/*;q=0.8", false);
        check("image/png", false);
        check("no media type at all", false);
        check("", false);
        assert!(!wants_plain_text(&HeaderMap::new()));
    }
}
