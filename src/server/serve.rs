use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::activity::Activity;
pub use super::connection::Api;
use super::connection::Connection;
use super::metrics::GaugeGuard;
use super::places::{LOOK_AGAIN, Places};
use super::seldom::Seldom;
use super::shutdown::{self, DrainWatch};

/// What one listener allows its clients.
#[derive(Clone, Copy)]
pub struct Limits {
    pub max_connections: usize,
    /// For a request head to arrive, for the pause between two requests, and for a write to make progress.
    pub header_timeout: Duration,
}

/// Accepts until the drain stops it, and returns when the last connection has ended.
pub async fn serve(listener: TcpListener, api: Api, limits: Limits, drain: DrainWatch, connections_open: Gauge) {
    let places = Arc::new(Places::new(limits.max_connections));
    let (alive, mut all_ended) = mpsc::channel::<Infallible>(1);
    let spawn = |stream: TcpStream| {
        let activity = Activity::new();
        let connection = Connection {
            api: api.clone(),
            patience: limits.header_timeout,
            drain: drain.clone(),
            places: places.clone(),
            activity: activity.clone(),
        };
        let guard = (alive.clone(), GaugeGuard::new(connections_open.clone()));
        places.give_to(activity, async move {
            connection.serve(stream).await;
            drop(guard);
        });
    };

    let accept_all = async {
        let (mut failures, mut crowds) = (Seldom::default(), Seldom::default());
        loop {
            places.room().await;
            tokio::select! {
                stream = accept(&listener, &mut failures) => spawn(stream),
                // Nobody new came, and those before may have become old enough to go.
                () = sleep(LOOK_AGAIN), if places.are_crowded() => {}
            }
            if places.are_crowded() {
                places.make_room();
                if crowds.is_due().is_some() {
                    let limit = limits.max_connections;
                    tracing::warn!(limit, "more than {limit} connections: those that ask for nothing are closed");
                }
            }
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = drain.clone().stopping() => {}
    }
    for stream in take_backlog(listener) {
        spawn(stream);
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

async fn accept(listener: &TcpListener, failures: &mut Seldom) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client gave up before it was accepted; the next one may be fine.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if let Some(times) = failures.is_due() {
                    tracing::warn!(%error, times, "cannot accept connections: {error}");
                }
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
