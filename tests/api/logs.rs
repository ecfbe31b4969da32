use std::io::{PipeReader, Write as _, pipe};
use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use crate::client::{get, raw, read_to_end, value};
use crate::service::command;

const SECOND: Duration = Duration::from_secs(1);

/// A service whose log goes into a pipe that is kept and not read.
struct Unread {
    process: Child,
    address: SocketAddr,
    metrics_address: SocketAddr,
    _pipe: PipeReader,
}

impl Unread {
    async fn start(already_in_the_pipe: usize) -> Self {
        let (pipe, mut end) = pipe().unwrap();
        end.write_all(&vec![b'.'; already_in_the_pipe]).unwrap();
        // The log would tell which ports the kernel chose.
        let ports = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let [address, metrics_address] = ports.map(|port| port.local_addr().unwrap());
        let process = command()
            .env("ARGO_RUST_LISTEN", address.to_string())
            .env("ARGO_RUST_METRICS_LISTEN", metrics_address.to_string())
            .env("ARGO_RUST_LOG", "debug")
            .env("ARGO_RUST_DRAIN_DELAY", "0s")
            .env("ARGO_RUST_DRAIN_DEADLINE", "2s")
            .stdout(end)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while tokio::net::TcpStream::connect(metrics_address).await.is_err() {
            assert!(started.elapsed() < 10 * SECOND, "the service does not start");
            sleep(Duration::from_millis(20)).await;
        }
        Self { process, address, metrics_address, _pipe: pipe }
    }

    async fn dropped(&self) -> f64 {
        value(self.metrics_address, "log_lines_dropped_total").await.expect("a count of dropped lines")
    }

    async fn answers_and_ends_in_time(&mut self) {
        let answer = timeout(SECOND, get(self.address, "/hello")).await.expect("an answer beside a full log");
        assert_eq!(answer.status, 200);
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let signalled = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(signalled.elapsed() < 3 * SECOND, "the service still runs behind its deadline of 2 s");
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_log_that_is_full_from_the_start_holds_neither_the_service_nor_its_end() {
    // As much as a pipe takes.
    let mut service = Unread::start(65_536).await;
    assert!(service.dropped().await >= 3.0, "two ports and the start are logged");
    service.answers_and_ends_in_time().await;
}

#[tokio::test]
async fn a_log_that_fills_up_while_nobody_reads_holds_neither_a_request_nor_the_drain() {
    let mut service = Unread::start(0).await;
    assert_eq!(service.dropped().await, 0.0, "an empty pipe takes the first lines");
    for _ in 0..2_000 {
        let mut refused = raw(service.address, "no request at all\r\n\r\n").await;
        let _ = timeout(SECOND, read_to_end(&mut refused)).await.expect("an end beside a full log");
        if service.dropped().await > 0.0 {
            break;
        }
    }
    assert!(service.dropped().await > 0.0, "2,000 refused requests did not fill the pipe: this check tests nothing");
    service.answers_and_ends_in_time().await;
}
