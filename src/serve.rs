use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, Cursor};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tower::Service as _;

use crate::head_timer::HeadTimer;
use crate::metrics::{GaugeGuard, HttpMetrics};
use crate::shutdown::{self, DrainWatch};

/// What one listener serves.
#[derive(Clone)]
pub struct Api {
    pub router: Router,
    /// None for the listener that Prometheus reads.
    pub metrics: Option<HttpMetrics>,
}

/// What one listener allows its clients.
#[derive(Clone, Copy)]
pub struct Limits {
    pub max_connections: usize,
    /// For a request head to arrive, for the pause between two requests, and for a write to make progress.
    pub header_timeout: Duration,
}

/// How long a connection that is being closed is still read from.
const LINGER: Duration = Duration::from_millis(500);

/// Accepts until the drain stops it, and returns when the last connection has ended.
pub async fn serve(listener: TcpListener, api: Api, limits: Limits, drain: DrainWatch, connections_open: Gauge) {
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let (alive, mut all_ended) = mpsc::channel::<Infallible>(1);
    let spawn = |stream: TcpStream, held| {
        let connection = Connection { api: api.clone(), limits, drain: drain.clone() };
        let guard = (held, alive.clone(), GaugeGuard::new(connections_open.clone()));
        tokio::spawn(async move {
            connection.serve(stream).await;
            drop(guard);
        });
    };

    let accept_all = async {
        // With no permit left nothing is accepted: the rest waits in the kernel's queue.
        while let Ok(permit) = permits.clone().acquire_owned().await {
            spawn(accept(&listener).await, Some(permit));
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = drain.clone().stopping() => {}
    }
    for stream in take_backlog(listener) {
        spawn(stream, None);
    }
    drop(alive);
    all_ended.recv().await;
}

/// The same for the second listener, which has few clients and no drain: it answers until the process ends.
pub async fn serve_metrics(listener: TcpListener, router: Router, header_timeout: Duration) {
    let (_never_drained, drain) = shutdown::drain();
    let limits = Limits { max_connections: 64, header_timeout };
    let api = Api { router, metrics: None };
    serve(listener, api, limits, drain, Gauge::default()).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client gave up before it was accepted; the next one may be fine.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection: {error}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Closes the listener. Connections that the kernel has completed meanwhile would be reset with it: they are taken.
fn take_backlog(listener: TcpListener) -> Vec<TcpStream> {
    // Asking the kernel itself, as the runtime may not have heard of the latest ones yet.
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accepted = std::iter::from_fn(|| listener.accept().ok());
    accepted.filter_map(|(stream, _)| tokio_stream(stream).ok()).collect()
}

fn tokio_stream(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// One accepted connection and everything that decides its end.
struct Connection {
    api: Api,
    limits: Limits,
    drain: DrainWatch,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // An answer must not wait for the client's acknowledgement of the one before; failing costs only speed.
        let _ = stream.set_nodelay(true);
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(self.limits.header_timeout));

        let stopping = self.drain.clone().stopping();
        let (stream, unread) = self.answer(stream, self.limits.header_timeout, true, stopping).await;
        if !self.drain.is_stopping() {
            return close(stream).await;
        }
        // The stop may have met a request on its way here, or half read. It reached the socket, so it is answered.
        let (reader, writer) = tokio::io::split(stream);
        let rest = tokio::io::join(Cursor::new(unread).chain(reader), writer);
        let (rest, _) = self.answer(rest, LINGER, false, std::future::pending()).await;
        close(rest).await;
    }

    /// Answers requests until the client or the stop ends it; gives back the stream and what was read too much.
    async fn answer<S>(
        &self,
        stream: S,
        header_timeout: Duration,
        keep_alive: bool,
        stop: impl Future<Output = ()>,
    ) -> (S, Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let service = service_fn(|request| Box::pin(self.respond(request)));
        let mut connection = http1::Builder::new()
            .timer(HeadTimer::new())
            .header_read_timeout(header_timeout)
            .keep_alive(keep_alive)
            .serve_connection(TokioIo::new(stream), service);
        let mut stop = pin!(stop);
        let mut stopped = false;
        let ended = poll_fn(|context| {
            let poll = connection.poll_without_shutdown(context);
            if poll.is_pending() && !stopped && stop.as_mut().poll(context).is_ready() {
                stopped = true;
                Pin::new(&mut connection).graceful_shutdown();
                return connection.poll_without_shutdown(context);
            }
            poll
        });
        if let Err(error) = ended.await {
            tracing::debug!(%error, "connection ended: {error}");
        }
        let parts = connection.into_parts();
        (parts.io.into_inner(), parts.read_buf)
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let measurement = self.api.metrics.as_ref().map(|metrics| metrics.start(&request));
        let mut response = self.api.router.clone().call(request).await?;
        if let Some(measurement) = measurement {
            measurement.end(response.status());
        }
        if self.drain.is_announced() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// Closes so that the last answer arrives: unread bytes at the close would make the kernel reset the connection
/// and take along what the client has not read yet.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    if stream.shutdown().await.is_ok() {
        let _ = timeout(LINGER, copy(&mut stream, &mut sink())).await;
    }
}
