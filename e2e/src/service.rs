//! The service from outside, on the port that k8s/service.yaml gives it on this machine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::header::{CONNECTION, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::Loop;
use crate::client::{another_address, connect};
use crate::contract::{self, MANIFEST};

pub const ADDRESS: &str = "127.0.0.1:30800";

const PATIENCE: Duration = Duration::from_secs(3);

/// What the kubelet asks of the service. With /version it is all that the delivery's contract has, so that it is all
/// that a proof knows of this service's answers.
pub fn probe_path() -> Result<&'static str> {
    static PATH: OnceLock<Option<String>> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let manifest = std::fs::read_to_string(Loop::place().checkout.join(MANIFEST)).ok()?;
        contract::probe_path(&manifest).map(str::to_owned)
    });
    path.as_deref().with_context(|| format!("{MANIFEST} has no path in its readinessProbe"))
}

/// The contract's question, on the NodePort.
pub fn probe() -> Result<String> {
    get(probe_path()?)
}

/// One request on a connection of its own, never repeated.
pub fn get(path: &str) -> Result<String> {
    get_at(ADDRESS, path)
}

pub fn get_at(address: &str, path: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match tokio::time::timeout(PATIENCE, request(address, path)).await {
            Ok(answer) => answer,
            Err(_) => bail!("no answer within {PATIENCE:?}"),
        }
    })
}

async fn request(address: &str, path: &str) -> Result<String> {
    let connected = connect(another_address(), address.parse()?).await;
    let stream = connected.with_context(|| format!("cannot connect to {address}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path).header(HOST, address).header(CONNECTION, "close").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    driver.abort();
    if !status.is_success() {
        bail!("the service answers {path} with {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// `sha-` and the first seven digits of the commit that the answering pod was built from.
pub fn image_tag() -> Result<String> {
    let version: Value = serde_json::from_str(&get("/version")?)?;
    version["image_tag"].as_str().map(str::to_owned).context("/version names no image_tag")
}

/// Asks the probe's path all the time and counts, while a proof does something to the cluster.
pub struct Witness {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    thread: JoinHandle<Vec<String>>,
}

impl Witness {
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicU64::new(0));
        let (stopping, count) = (Arc::clone(&stop), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            let begin = Instant::now();
            let mut failures = Vec::new();
            while !stopping.load(Ordering::Relaxed) {
                if let Err(error) = probe() {
                    failures.push(format!("after {:.1} s: {error:#}", begin.elapsed().as_secs_f64()));
                }
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(40));
            }
            failures
        });
        Self { stop, asked, thread }
    }

    /// How many requests there were; fails if one of them did.
    pub fn all_answered(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.thread.join().map_err(|_| anyhow::anyhow!("the witness panicked"))?;
        let asked = self.asked.load(Ordering::Relaxed);
        if let Some(first) = failures.first() {
            bail!(
                "expected: the service answers every request meanwhile\nseen: {} of {asked} failed, the first {first}",
                failures.len()
            );
        }
        Ok(asked)
    }
}
