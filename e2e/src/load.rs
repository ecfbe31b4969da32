//! Requests at a constant rate by clients that never retry, and what became of each of them.
//!
//! The load is open: every request has a time at which it is due, and its latency counts from then,
//! whether or not the service was slow with those before it.

mod report;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

pub use self::report::{Failure, Report, summary};
use crate::client::{Connection, another_address};

/// A request without an answer after this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Clients that all ask the same, in the same way.
#[derive(Clone, Copy)]
pub struct Stream {
    pub name: &'static str,
    pub path: &'static str,
    pub connections: Connections,
    /// Requests a second, of all connections together.
    pub rate: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// That many, each kept for as long as the service keeps it.
    Kept(u32),
    /// One for each request, whatever became of those before it.
    FreshEachTime,
}

/// A load under way, on a thread of its own.
pub struct Load {
    thread: JoinHandle<Result<Vec<Report>>>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Shared {
    rollout: AtomicBool,
    requests: AtomicU64,
    /// Of all streams, in the order in which they came.
    failures: Mutex<Vec<Failure>>,
}

impl Load {
    pub fn start(address: SocketAddr, streams: &[Stream]) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the threads of the load")?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(false);
        let (from, streams) = (another_address(), streams.to_vec());
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || runtime.block_on(run(from, address, streams, shared, stopped))
        });
        Ok(Self { thread, shared, stop })
    }

    /// From now on latencies count as those of a rollout, or as those at rest.
    pub fn rollout(&self, under_way: bool) {
        self.shared.rollout.store(under_way, Ordering::Relaxed);
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Those until now, the oldest first.
    pub fn failures(&self) -> Vec<Failure> {
        self.shared.failures.lock().map(|failures| failures.clone()).unwrap_or_default()
    }

    /// Sends no more, waits for the answers that are still to come, and reports each stream.
    pub fn end(self) -> Result<Vec<Report>> {
        self.stop.send_replace(true);
        self.thread.join().map_err(|_| anyhow::anyhow!("the load broke down"))?
    }
}

async fn run(
    from: Ipv4Addr,
    address: SocketAddr,
    streams: Vec<Stream>,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) -> Result<Vec<Report>> {
    let mut reports: Vec<Report> = streams.iter().map(|stream| Report::new(stream.name)).collect();
    let mut clients = JoinSet::new();
    for (index, stream) in streams.iter().copied().enumerate() {
        let client = Client { from, address, stream, shared: Arc::clone(&shared), stop: stop.clone() };
        match stream.connections {
            Connections::FreshEachTime => {
                clients.spawn(async move { (index, client.fresh().await) });
            }
            Connections::Kept(count) => {
                let period = Duration::from_secs(1) * count / stream.rate;
                for number in 0..count {
                    let (client, first) = (client.clone(), Instant::now() + period * number / count);
                    clients.spawn(async move { (index, client.kept(first, period).await) });
                }
            }
        }
    }
    while let Some(ended) = clients.join_next().await {
        let (index, report) = ended.context("a client of the load broke down")?;
        reports[index].add(report);
    }
    Ok(reports)
}

#[derive(Clone)]
struct Client {
    from: Ipv4Addr,
    address: SocketAddr,
    stream: Stream,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
}

impl Client {
    /// One connection: a request waits for the answer to the one before it, and that wait is part of its latency.
    async fn kept(self, first: Instant, period: Duration) -> Report {
        let mut report = Report::new(self.stream.name);
        let mut ticks = interval_at(first, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut kept = None;
        while !*self.stop.borrow() {
            let due = ticks.tick().await;
            let rollout = self.shared.rollout.load(Ordering::Relaxed);
            let outcome = answered(self.request(&mut kept)).await;
            if !matches!(outcome, Ok(Answered { closes: false })) {
                kept = None;
            }
            self.note(&mut report, due, rollout, outcome);
        }
        report
    }

    /// Nobody waits for anybody: each request is a task of its own.
    async fn fresh(self) -> Report {
        let mut report = Report::new(self.stream.name);
        let mut ticks = interval_at(Instant::now(), Duration::from_secs(1) / self.stream.rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut under_way = JoinSet::new();
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                due = ticks.tick() => {
                    let client = self.clone();
                    let rollout = self.shared.rollout.load(Ordering::Relaxed);
                    under_way.spawn(async move { (due, rollout, answered(client.request(&mut None)).await) });
                }
                Some(ended) = under_way.join_next() => self.note_task(&mut report, ended),
                _ = stop.changed() => break,
            }
        }
        while let Some(ended) = under_way.join_next().await {
            self.note_task(&mut report, ended);
        }
        report
    }

    fn note_task(&self, report: &mut Report, ended: Result<(Instant, bool, Outcome), tokio::task::JoinError>) {
        match ended {
            Ok((due, rollout, outcome)) => self.note(report, due, rollout, outcome),
            Err(error) => self.note(report, Instant::now(), false, Err(format!("the client broke down: {error}"))),
        }
    }

    fn note(&self, report: &mut Report, due: Instant, rollout: bool, outcome: Outcome) {
        report.requests += 1;
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let latencies = if rollout { &mut report.during_rollouts } else { &mut report.at_rest };
        latencies.record(due.elapsed());
        if let Err(what) = outcome {
            let failure = Failure { at: std::time::Instant::now(), stream: self.stream.name, what };
            if let Ok(mut failures) = self.shared.failures.lock() {
                failures.push(failure.clone());
            }
            report.failures.push(failure);
        }
    }

    /// A connection that is known to be closed is not used: nothing of the request has been sent yet. Whatever goes
    /// wrong after the first byte has failed.
    async fn request(&self, kept: &mut Option<Connection>) -> Outcome {
        if kept.as_ref().is_some_and(Connection::is_closed) {
            *kept = None;
        }
        let connection = match kept {
            Some(connection) => connection,
            None => kept.insert(Connection::open(self.from, self.address).await?),
        };
        let answer = connection.get(self.stream.path).await?;
        if answer.status != hyper::StatusCode::OK {
            return Err(format!("status {}", answer.status));
        }
        if answer.length == 0 {
            return Err("an empty answer".to_owned());
        }
        Ok(Answered { closes: answer.closes })
    }
}

struct Answered {
    closes: bool,
}

type Outcome = Result<Answered, String>;

async fn answered(request: impl Future<Output = Outcome>) -> Outcome {
    match timeout(PATIENCE, request).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::{sleep, spawn};

    use super::*;

    const STREAMS: [Stream; 2] = [
        Stream { name: "kept alive", path: "/", connections: Connections::Kept(4), rate: 200 },
        Stream { name: "fresh connections", path: "/", connections: Connections::FreshEachTime, rate: 100 },
    ];

    /// Counts the requests that reach it; `answer` gets the number of each and says whether it is answered.
    fn server(answer: fn(u64) -> bool) -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (address, seen) = (listener.local_addr().expect("it is bound"), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&seen);
        spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                spawn(move || {
                    while has_request(&mut stream) {
                        if !answer(count.fetch_add(1, Ordering::SeqCst)) {
                            return;
                        }
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                    }
                });
            }
        });
        (address, seen)
    }

    fn has_request(stream: &mut TcpStream) -> bool {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return false,
            }
        }
        true
    }

    fn load(address: SocketAddr, streams: &[Stream], time: Duration) -> Vec<Report> {
        let load = Load::start(address, streams).expect("the load starts");
        sleep(time);
        load.end().expect("the load ends")
    }

    #[test]
    fn a_request_that_is_dropped_has_failed_and_is_not_repeated() {
        let (address, seen) = server(|number| number % 10 != 9);
        let reports = load(address, &STREAMS, Duration::from_millis(600));
        let seen = seen.load(Ordering::SeqCst);
        assert!(seen > 50, "{seen} requests");
        assert_eq!(reports.iter().map(|report| report.requests).sum::<u64>(), seen);
        assert_eq!(reports.iter().map(|report| report.failures.len() as u64).sum::<u64>(), seen / 10);
    }

    #[test]
    fn a_closed_port_fails_every_request() {
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        for report in load(closed, &STREAMS, Duration::from_millis(200)) {
            assert!(report.requests > 0, "{report}");
            assert_eq!(report.failures.len() as u64, report.requests, "{report}");
        }
    }

    #[test]
    fn a_stall_counts_for_every_request_that_was_due_meanwhile() {
        let (address, _) = server(|number| {
            if number == 0 {
                sleep(Duration::from_millis(400));
            }
            true
        });
        let one = Stream { name: "one", path: "/", connections: Connections::Kept(1), rate: 100 };
        let reports = load(address, &[one], Duration::from_millis(800));
        // Of 80 requests 40 were due while the first one waited. Asked one after the other, one would be slow.
        assert!(reports[0].at_rest.milliseconds(70.0) > 50.0, "{}", reports[0]);
    }
}
