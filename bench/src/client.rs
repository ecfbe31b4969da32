//! Requests that are sent when they are due, whether or not those before them were answered.
//!
//! A latency counts from the time at which its request was due, so a server that stalls pays for every
//! request that had to wait meanwhile. One thread does it all, and waits for less than a millisecond by
//! asking again and again: its core is its own.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

/// A server that says nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    connections: Vec<Connection>,
    epoll: OwnedFd,
    request: Vec<u8>,
    answer_length: usize,
}

struct Connection {
    stream: TcpStream,
    due: Instant,
    received: usize,
}

/// What became of the requests of one run.
#[derive(Default)]
pub struct Latencies {
    pub all: Vec<Duration>,
    /// How late each request was sent although a connection was free: the client's own part of the latency.
    pub own_delays: Vec<Duration>,
}

/// What one answer consists of.
pub struct Answer {
    pub raw: Vec<u8>,
    pub status: u16,
    pub body: Vec<u8>,
}

impl Client {
    /// Opens the connections, and asks once: all answers are as long as the first.
    pub fn connect(address: SocketAddr, path: &str, connections: usize) -> Result<Self> {
        let answer = ask(address, path)?;
        ensure!(answer.status == 200, "{path} is answered with status {}", answer.status);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let connections = (0..connections as u64)
            .map(|number| {
                let stream = TcpStream::connect(address).context("cannot connect")?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                epoll::add(&epoll, &stream, epoll::EventData::new_u64(number), epoll::EventFlags::IN)?;
                Ok(Connection { stream, due: Instant::now(), received: 0 })
            })
            .collect::<Result<_>>()?;
        Ok(Self { connections, epoll, request: request(address, path), answer_length: answer.raw.len() })
    }

    /// Sends so many a second, or each as soon as a connection is free.
    pub fn run(&mut self, requests: usize, rate: Option<f64>) -> Result<Latencies> {
        let started = Instant::now();
        let due = |number: usize| rate.map_or(started, |rate| started + Duration::from_secs_f64(number as f64 / rate));
        let mut idle: VecDeque<usize> = (0..self.connections.len()).collect();
        let mut latencies = Latencies::default();
        let mut sent = 0;
        let mut was_free = true;
        let mut events = Vec::with_capacity(256);
        while latencies.all.len() < requests {
            let now = Instant::now();
            while sent < requests
                && due(sent) <= now
                && let Some(number) = idle.pop_front()
            {
                self.send(number, due(sent))?;
                latencies.own_delays.push(if was_free { now - due(sent) } else { Duration::ZERO });
                sent += 1;
            }
            was_free = !idle.is_empty();
            let next =
                (sent < requests && !idle.is_empty()).then(|| due(sent).saturating_duration_since(Instant::now()));
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&whole_milliseconds(next.unwrap_or(PATIENCE))))?;
            ensure!(next.is_some() || !events.is_empty(), "no answer came for {PATIENCE:?}");
            for event in &events {
                let number = event.data.u64() as usize;
                if let Some(latency) = self.receive(number)? {
                    latencies.all.push(latency);
                    idle.push_back(number);
                }
            }
        }
        Ok(latencies)
    }

    /// How many connections the server has not closed.
    pub fn still_open(&self) -> usize {
        let open = |connection: &&Connection| matches!(connection.stream.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        self.connections.iter().filter(open).count()
    }

    fn send(&mut self, number: usize, due: Instant) -> Result<()> {
        let connection = &mut self.connections[number];
        connection.due = due;
        connection.stream.write_all(&self.request).context("cannot send a request")
    }

    /// The latency, once the answer is complete.
    fn receive(&mut self, number: usize) -> Result<Option<Duration>> {
        let connection = &mut self.connections[number];
        let mut part = [0; 4096];
        let length = connection.stream.read(&mut part).context("cannot read an answer")?;
        ensure!(length > 0, "the server has closed a connection that was to be kept");
        if connection.received == 0 {
            ensure!(part[..length].starts_with(b"HTTP/1.1 200"), "an answer is not 200 OK");
        }
        connection.received += length;
        ensure!(connection.received <= self.answer_length, "an answer is longer than the first one");
        if connection.received < self.answer_length {
            return Ok(None);
        }
        connection.received = 0;
        Ok(Some(connection.due.elapsed()))
    }
}

/// One request on a connection of its own.
pub fn ask(address: SocketAddr, path: &str) -> Result<Answer> {
    ask_within(address, path, PATIENCE)
}

pub fn ask_within(address: SocketAddr, path: &str, patience: Duration) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, patience).context("cannot connect")?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(&request(address, path)).context("cannot send a request")?;
    let mut raw = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        let length = stream.read(&mut part).context("cannot read the answer")?;
        ensure!(length > 0, "the connection was closed before the answer was complete");
        raw.extend_from_slice(&part[..length]);
        if let Some((status, head, length)) = parse_head(&raw)?
            && raw.len() >= head + length
        {
            return Ok(Answer { status, body: raw[head..].to_vec(), raw });
        }
    }
}

fn request(address: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// Status, length of the head and of the body; None while the head is not complete.
fn parse_head(raw: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(raw)? else { return Ok(None) };
    let Some(length) = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length")) else {
        bail!("the answer has no Content-Length");
    };
    let length = std::str::from_utf8(length.value)?.parse()?;
    Ok(Some((response.code.context("the answer has no status")?, head, length)))
}

/// Rounded down, as a late request would count as the server's latency.
fn whole_milliseconds(duration: Duration) -> Timespec {
    let milliseconds = duration.as_millis() as i64;
    Timespec { tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000 }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

    /// Answers at once, but stands still once in the middle.
    fn stalling(stall: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a client connects");
                let mut answered = 0;
                while stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {
                    // The first connection is the client's one question of how long an answer is.
                    if number == 1 && answered == 50 {
                        thread::sleep(stall);
                    }
                    stream.write_all(ANSWER).expect("the client reads");
                    answered += 1;
                }
            }
        });
        address
    }

    #[test]
    fn a_stall_counts_for_every_request_that_was_due_meanwhile() {
        let address = stalling(Duration::from_millis(400));
        let mut client = Client::connect(address, "/", 1).expect("it listens");
        let latencies = client.run(200, Some(500.0)).expect("it answers").all;
        assert_eq!(latencies.len(), 200);
        let slow = latencies.iter().filter(|latency| **latency > Duration::from_millis(100)).count();
        // Due every 2 ms: some 150 had more than 100 ms to wait. A client that waits for each answer sees one.
        assert!(slow >= 100, "only {slow} requests were slow");
    }

    #[test]
    fn without_a_rate_requests_follow_each_other_and_the_connection_is_kept() {
        let address = stalling(Duration::ZERO);
        let mut client = Client::connect(address, "/", 1).expect("it listens");
        assert_eq!(client.run(60, None).expect("it answers").all.len(), 60);
        assert_eq!(client.still_open(), 1);
    }

    #[test]
    fn the_head_tells_where_an_answer_ends() {
        let check = |raw: &str, expected: Option<(u16, usize, usize)>| {
            assert_eq!(parse_head(raw.as_bytes()).ok().flatten(), expected, "{raw:?}");
        };
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Some((200, 38, 2)));
        check("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", Some((503, 55, 0)));
        check("HTTP/1.1 200 OK\r\nContent-Len", None);
        check("HTTP/1.1 200 OK\r\n\r\n", None);
    }
}
