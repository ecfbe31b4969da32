use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::client::Connection;

/// Requests at a constant rate by clients that never retry.
pub struct Load {
    workers: JoinSet<Report>,
    stop: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub struct Report {
    pub requests: u64,
    /// Answers that announced the end of their connection.
    pub closes: u64,
    pub failures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    KeptAlive,
    FreshEachTime,
}

impl Load {
    pub fn new() -> Self {
        Self { workers: JoinSet::new(), stop: watch::channel(false).0 }
    }

    /// Adds `workers` clients that send `rate` requests a second together.
    pub fn add(&mut self, address: SocketAddr, path: &'static str, kind: Connections, workers: u32, rate: u32) {
        let period = Duration::from_secs(1) * workers / rate;
        for worker in 0..workers {
            let first = Instant::now() + period * worker / workers;
            self.workers.spawn(work(address, path, kind, first, period, self.stop.subscribe()));
        }
    }

    pub async fn end(self) -> Report {
        self.stop.send_replace(true);
        let mut total = Report::default();
        for report in self.workers.join_all().await {
            total.requests += report.requests;
            total.closes += report.closes;
            total.failures.extend(report.failures);
        }
        total
    }
}

async fn work(
    address: SocketAddr,
    path: &'static str,
    kind: Connections,
    first: Instant,
    period: Duration,
    stop: watch::Receiver<bool>,
) -> Report {
    let mut report = Report::default();
    let mut ticks = interval_at(first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut kept = None;
    while !*stop.borrow() {
        ticks.tick().await;
        report.requests += 1;
        match request(address, path, &mut kept).await {
            Ok(closes) => {
                report.closes += u64::from(closes);
                if closes || kind == Connections::FreshEachTime {
                    kept = None;
                }
            }
            Err(failure) => {
                report.failures.push(failure);
                kept = None;
            }
        }
    }
    report
}

async fn request(address: SocketAddr, path: &str, kept: &mut Option<Connection>) -> Result<bool, String> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(Connection::open(address).await?),
    };
    let answer = connection.get(path).await?;
    if answer.status != StatusCode::OK {
        return Err(format!("status {}", answer.status));
    }
    Ok(answer.header("connection") == "close")
}
