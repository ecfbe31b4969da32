//! The cluster's own news, as it comes: what changed, and when it was heard of.

use std::io::BufReader;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{IMAGE, Loop};

/// Everything that happens to objects of some kinds in one namespace.
pub struct Watch {
    kubectl: Child,
    news: Receiver<News>,
}

pub struct News {
    pub heard: Instant,
    pub object: Value,
}

impl Loop {
    /// Begins with the objects as they are now. Much cheaper than to ask again and again, and exact to milliseconds.
    pub fn watch(&self, namespace: &str, kind: &str) -> Result<Watch> {
        let mut kubectl = self
            .kubectl()
            .args(["get", kind, "--namespace", namespace, "--watch", "--output=json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run kubectl")?;
        let output = kubectl.stdout.take().context("its output was asked for")?;
        let (sender, news) = channel();
        std::thread::spawn(move || {
            let objects = serde_json::Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>();
            // It ends with kubectl, or when nobody listens any more.
            for object in objects.map_while(Result::ok) {
                if sender.send(News { heard: Instant::now(), object }).is_err() {
                    break;
                }
            }
        });
        Ok(Watch { kubectl, news })
    }
}

impl Watch {
    /// When the first object was heard of that is as wanted; what came before it is gone then.
    pub fn first(&self, wanted: &str, deadline: Instant, mut is_it: impl FnMut(&Value) -> bool) -> Result<Instant> {
        loop {
            match self.news.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(news) if is_it(&news.object) => return Ok(news.heard),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("expected: {wanted}\nseen: nothing of it until the deadline"),
                Err(RecvTimeoutError::Disconnected) => bail!("kubectl no longer watches; waited for: {wanted}"),
            }
        }
    }

    /// Forgets what was heard until now.
    pub fn forget(&self) {
        while self.news.recv_timeout(Duration::ZERO).is_ok() {}
    }
}

/// Every pod of the Deployment runs this tag and counts as available.
pub fn is_live(deployment: &Value, tag: &str) -> bool {
    let (wanted, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] == format!("{IMAGE}:{tag}").as_str()
        && deployment["metadata"]["generation"] == status["observedGeneration"]
        && ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|count| &status[*count] == wanted)
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
