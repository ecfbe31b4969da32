use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A running service on two free ports; killed when it is dropped.
pub struct Service {
    pub process: Child,
    pub address: SocketAddr,
    pub metrics_address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// The binary with nothing of this machine's environment and both ports left to the kernel.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argo-rust"));
    command.env_clear().env("ARGO_RUST_LISTEN", "127.0.0.1:0").env("ARGO_RUST_METRICS_LISTEN", "127.0.0.1:0");
    command
}

impl Service {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_by(command().envs(settings.iter().copied()))
    }

    pub fn start_by(command: &mut Command) -> Self {
        let mut process = command
            .env("ARGO_RUST_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut address_of = |setting: &str| {
            let line = lines.next().expect("the service logs where it listens").unwrap();
            let event: serde_json::Value = serde_json::from_str(&line).expect("a log line is JSON");
            assert_eq!(event["setting"], setting, "{line}");
            event["address"].as_str().unwrap().parse().unwrap()
        };
        let address = address_of("ARGO_RUST_LISTEN");
        let metrics_address = address_of("ARGO_RUST_METRICS_LISTEN");
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Self { process, address, metrics_address, log }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the service is running");
    }

    pub fn has_logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(text))
    }

    /// Waits for the end and fails when it takes longer than `limit`.
    pub async fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < limit, "the service still runs after {limit:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
