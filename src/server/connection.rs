use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt as _, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::Service as _;

use super::activity::Activity;
use super::head::{LONGEST_HEAD, answer_without_router};
use super::head_timer::HeadTimer;
use super::metrics::HttpMetrics;
use super::places::Places;
use super::refusal::refuse;
use super::shutdown::DrainWatch;
use super::stream::{Reader, Stream};

/// What one listener serves.
#[derive(Clone)]
pub struct Api {
    pub router: Router,
    /// None for the listener that Prometheus reads.
    pub metrics: Option<HttpMetrics>,
}

/// One accepted connection and everything that decides its end.
pub struct Connection {
    pub api: Api,
    /// For a request head to arrive, for the pause between two requests, and for a write to make progress.
    pub patience: Duration,
    pub drain: DrainWatch,
    pub places: Arc<Places>,
    pub activity: Arc<Activity>,
}

/// After how long without a request a connection gives back its buffers.
const QUIET: Duration = Duration::from_millis(250);

/// How long a connection that is being closed is still read from.
const LINGER: Duration = Duration::from_millis(500);

/// Why requests are no longer answered.
#[derive(PartialEq, Eq)]
enum Ended {
    /// Nothing more can be asked here.
    Closed,
    /// All that was asked is answered; what is unread is the beginning of a head.
    Quiet,
}

impl Connection {
    pub async fn serve(self, stream: TcpStream) {
        let mut stream = Stream::new(stream, self.patience, self.activity.clone());
        let mut patience = self.patience;
        while !self.drain.is_stopping() {
            // The buffers, which are most of what a connection costs, are there only for who asks.
            if stream.unread.is_empty() {
                self.activity.waits();
                let says_something = poll_fn(|context| stream.reader.poll_says_something(context));
                let asks = tokio::select! {
                    asks = timeout(patience, says_something) => asks,
                    () = self.drain.clone().stopping() => break,
                };
                if asks != Ok(true) {
                    return Box::pin(close(stream)).await;
                }
            }
            let ended;
            (stream, ended) = Box::pin(self.answer(stream, patience, true)).await;
            if ended == Ended::Closed {
                return Box::pin(close(stream)).await;
            }
            patience = self.patience.saturating_sub(QUIET);
        }
        // The stop may have met a request on its way here, or half read. It reached the socket, so it is answered.
        let (stream, _) = Box::pin(self.answer(stream, LINGER, false)).await;
        Box::pin(close(stream)).await;
    }

    /// Answers requests until the client, a pause or the stop ends it. Without `keep_alive` it answers one, and
    /// whether the service stops no longer matters.
    async fn answer(&self, stream: Stream, first_head: Duration, keep_alive: bool) -> (Stream, Ended) {
        let timer = HeadTimer::new(first_head, self.activity.clone());
        let reader = stream.reader.clone();
        let service = service_fn(|request| Box::pin(self.respond(request, &reader)));
        let mut connection = http1::Builder::new()
            .timer(timer.clone())
            .header_read_timeout(QUIET.min(self.patience))
            .keep_alive(keep_alive)
            .max_buf_size(LONGEST_HEAD)
            // hyper would else look for the client's end while a request is answered, which costs a buffer each time.
            .half_close(true)
            // A body is copied behind its head: for pieces of a few kilobytes that costs less than two buffers.
            .writev(false)
            .serve_connection(TokioIo::new(stream), service);
        let mut stopping = pin!(self.drain.clone().stopping());
        let mut watches = keep_alive;
        let mut ended = Ended::Closed;
        let outcome = poll_fn(|context| {
            let poll = connection.poll_without_shutdown(context);
            if poll.is_ready() || !watches || stopping.as_mut().poll(context).is_pending() {
                return poll;
            }
            watches = false;
            timer.hurry(LINGER);
            Pin::new(&mut connection).graceful_shutdown();
            let poll = connection.poll_without_shutdown(context);
            // It ends at once only between two requests. A later end may leave a request's body unread, which must
            // not be taken for the next request.
            if poll.is_ready() {
                ended = Ended::Quiet;
            }
            poll
        });
        let outcome = outcome.await;
        let parts = connection.into_parts();
        let mut stream = parts.io.into_inner();
        match outcome {
            Ok(()) => {}
            Err(error) if error.is_timeout() && !timer.waits_for_first() => ended = Ended::Quiet,
            Err(error) => {
                tracing::debug!(%error, "connection ended: {error}");
                if error.is_parse() {
                    let status = refuse(&mut stream, &error, &parts.read_buf).await;
                    self.api.metrics.iter().for_each(|metrics| metrics.refused(status));
                }
            }
        }
        // A copy, as the buffer is larger than what is in it.
        stream.unread = Bytes::copy_from_slice(&parts.read_buf);
        (stream, ended)
    }

    async fn respond(&self, request: Request<Incoming>, reader: &Reader) -> Result<Response<Body>, ClientGone> {
        self.activity.answers();
        let measurement = self.api.metrics.as_ref().map(|metrics| metrics.start(&request));
        // Nobody reads bodies here. What of one is still to come must not be taken for a request.
        let mut closes = !request.body().is_end_stream();
        let mut response = if let Some(response) = answer_without_router(&request) {
            closes |= response.status().is_client_error();
            response
        } else {
            let mut answer = self.api.router.clone().call(request);
            let answered = poll_fn(|context| {
                if let Poll::Ready(Ok(response)) = Pin::new(&mut answer).poll(context) {
                    return Poll::Ready(Ok(response));
                }
                // What takes longer is given up with its client, and its place in the queue is free.
                match ready!(reader.poll_says_something(context)) {
                    true => Poll::Pending,
                    false => Poll::Ready(Err(ClientGone)),
                }
            });
            answered.await?
        };
        if let Some(measurement) = measurement {
            measurement.end(response.status());
        }
        if closes || self.drain.is_announced() || self.places.are_crowded() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the client has gone before its answer was there")]
struct ClientGone;

/// Closes so that the last answer arrives: unread bytes at the close would make the kernel reset the connection
/// and take along what the client has not read yet.
async fn close(mut stream: Stream) {
    if stream.shutdown().await.is_ok() {
        let _ = timeout(LINGER, copy(&mut stream, &mut sink())).await;
    }
}
