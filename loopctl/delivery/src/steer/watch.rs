//! Watches one rollout until it has ended, by itself or by the deadline.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::branch::Branch;
use super::follow::{Reason, Verdict, verdict};
use crate::cluster::Cluster;
use crate::handle::Delivery;
use crate::journey::facts::Rollout;
use crate::journey::kept::FAR;

const PAUSE: Duration = Duration::from_secs(1);

pub enum End {
    Live,
    Failed(Reason),
    NotApplied(String),
    MovedOn(String),
}

pub async fn watch(
    delivery: &Delivery,
    cluster: &Cluster,
    branch: &Branch,
    begin: Instant,
    deadline: Duration,
) -> Result<End> {
    let image = format!("{}:sha-{}", branch.image, branch.revision);
    let (mut said, mut asked) = (String::new(), Instant::now());
    loop {
        let over = begin.elapsed() >= deadline;
        let rollout = match look(delivery, cluster).await {
            Ok(rollout) => rollout,
            // Whoever could look once goes on: an API server may restart in the middle of a rollout.
            Err(error) if !over && !said.is_empty() => {
                eprintln!("{:>6.1} s  {error:#}", begin.elapsed().as_secs_f64());
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let now = match verdict(Timestamp::now(), &rollout, &image) {
            Verdict::Live => return Ok(End::Live),
            Verdict::Failed(reason) => return Ok(End::Failed(reason)),
            Verdict::Rolling(reason) if over => {
                let text = format!("not live after {}: {}", humantime::format_duration(deadline), reason.text);
                return Ok(End::Failed(Reason { text, ..reason }));
            }
            Verdict::NotApplied(seen) if over => return Ok(End::NotApplied(seen)),
            Verdict::Rolling(reason) => reason.text,
            Verdict::NotApplied(seen) => seen,
        };
        if now != said {
            eprintln!("{:>6.1} s  {now}", begin.elapsed().as_secs_f64());
            said = now;
        }
        if asked.elapsed() >= FAR {
            asked = Instant::now();
            let newest = delivery.branch()?;
            if newest.revision != branch.revision {
                return Ok(End::MovedOn(newest.revision));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(delivery: &Delivery, cluster: &Cluster) -> Result<Rollout> {
    let names = &delivery.names;
    let workload = cluster.workload(&names.namespace, &names.deployment, &names.container, &names.selector);
    let pods = cluster.pods(&names.namespace, &names.selector, &names.container);
    let (workload, pods) = futures_util::future::try_join(workload, pods).await?;
    let workload = workload.with_context(|| format!("there is no Deployment {}", names.deployment))?;
    Ok(Rollout { workload, pods })
}
