//! Who may ask, and what is answered. Nothing is taken: every route is a GET.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::parts::Parts;
use crate::seen::Service;
use crate::{Seen, metrics, page};

const PING: Duration = Duration::from_secs(15);
/// Nothing but this page's own files, from this address alone, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Board {
    seen: Seen,
    parts: watch::Receiver<Arc<Parts>>,
    hosts: Arc<Vec<String>>,
}

pub async fn serve(
    listener: TcpListener,
    hosts: Vec<String>,
    seen: Seen,
    parts: watch::Receiver<Arc<Parts>>,
) -> Result<()> {
    tokio::select! {
        served = axum::serve(listener, router(hosts, seen, parts)) => served.context("the board cannot be served"),
        stopped = stopped() => stopped,
    }
}

/// By a person or by whoever keeps the process: what was made for it, such as a clone, is then taken away.
async fn stopped() -> Result<()> {
    #[cfg(unix)]
    {
        let mut told = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        tokio::select! {
            interrupted = ctrl_c() => interrupted.context("cannot listen for an interrupt"),
            _ = told.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    ctrl_c().await.context("cannot listen for an interrupt")
}

fn router(hosts: Vec<String>, seen: Seen, parts: watch::Receiver<Arc<Parts>>) -> Router {
    let board = Board { seen, parts, hosts: Arc::new(hosts) };
    Router::new()
        .route("/", get(whole))
        .route("/board.css", get(async || file("text/css; charset=utf-8", page::STYLE)))
        .route("/board.js", get(async || file("text/javascript; charset=utf-8", page::SCRIPT)))
        .route("/api/commits", get(commits))
        .route("/api/events", get(events))
        .route("/metrics", get(figures))
        .layer(middleware::from_fn_with_state(board.clone(), guard))
        .with_state(board)
}

/// A name that leads to this machine in a page of somebody else's is no reason to answer that page.
async fn guard(State(board): State<Board>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut answer = if !is_ours(host, &board.hosts) {
        let said = "This board answers to localhost and to the names of its option --host.\n";
        (StatusCode::MISDIRECTED_REQUEST, said).into_response()
    } else if request.method() != Method::GET && request.method() != Method::HEAD {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "Nothing can be changed here.\n")
            .into_response()
    } else if request.uri().path() != "/" && is_of_another_site(headers) {
        (StatusCode::FORBIDDEN, "These data are for this page alone.\n").into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

fn is_ours(host: &str, more: &[String]) -> bool {
    let end = if host.ends_with(']') { None } else { host.rsplit_once(':') };
    let name = match end {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        Some(_) => return false,
        None => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name) || more.iter().any(|each| each.eq_ignore_ascii_case(name))
}

/// As browsers say it; whoever is no browser says nothing.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

async fn whole(State(board): State<Board>) -> Html<String> {
    // Before the page: what changes in between is sent once more, and not lost.
    let generation = board.parts.borrow().id();
    let services = board.seen.borrow().clone();
    let mut services: Vec<&Service> = services.iter().map(Arc::as_ref).collect();
    services.sort_by_key(|service| !service.is_urgent());
    Html(page::page(&services, &generation))
}

/// As `loopctl where -o json` says it, of every commit that has a row.
async fn commits(State(board): State<Board>) -> Response {
    let services = board.seen.borrow().clone();
    let answers: Vec<_> = services.iter().flat_map(|service| &service.rows).map(|row| &row.answer).collect();
    match serde_json::to_string_pretty(&answers) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn figures(State(board): State<Board>) -> Response {
    let services = board.seen.borrow().clone();
    ([(header::CONTENT_TYPE, metrics::KIND)], Body::from(metrics::text(&services))).into_response()
}

#[derive(Deserialize)]
struct After {
    after: Option<String>,
}

/// What has changed since the viewer last heard of it, and then each change.
async fn events(
    State(board): State<Board>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let begin = (board.parts, heard.or(after), true);
    let changes = stream::unfold(begin, async |(mut parts, mut heard, mut is_first)| {
        loop {
            if !is_first && parts.changed().await.is_err() {
                return None;
            }
            is_first = false;
            let change = parts.borrow_and_update().since(heard.as_deref());
            heard = Some(change.id.clone());
            if !change.is_empty() {
                let event = Event::default().id(&change.id).data(serde_json::to_string(&change).unwrap_or_default());
                return Some((Ok(event), (parts, heard, false)));
            }
        }
    });
    Sse::new(changes).keep_alive(KeepAlive::new().interval(PING))
}

#[cfg(test)]
mod tests;
