//! hyper with a service written by hand, on a runtime of one thread.

use std::convert::Infallible;

use anyhow::{Context as _, Result};
use bench::Told;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Told { address, path, body } = Told::by_the_command_line()?;
    let listener = TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    let answer = move |request| async move { Ok::<_, Infallible>(answer(&request, path, body.get())) };
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

fn answer(request: &Request<Incoming>, path: &str, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() == path {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Full::new(Bytes::from_static(body.as_bytes()));
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
