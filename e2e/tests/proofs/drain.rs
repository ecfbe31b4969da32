//! A node's kubelet that is started anew just while a pod drains.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::load::{Connections, Failure, Load, Stream, summary};
use e2e::repetitions::KUBELETS_KILLED_IN_A_DRAIN;
use e2e::report::{Report, ensure};
use e2e::repository::Clone;
use e2e::watch::Watch;
use e2e::{Loop, NAMESPACE, service};

use crate::restarts::victim::{At, Victim};

const MANIFEST: &str = "k8s/deployment.yaml";
const KUBELET: Victim = Victim { part: "kubelet", process: "kubelet", at: At::Machine };
const ROLLED_OUT: Duration = Duration::from_secs(90);
/// What the service does by itself, and what k8s/deployment.yaml makes of it.
const SHORT: &str = "value: 5s";
const SHIPPED: &str = "value: 15s";

/// The new kubelet takes a young pod for unready until it has asked it, and meanwhile the pod that drains is the only one
/// that is led to.
pub fn a_kubelet_that_is_killed_while_a_pod_drains_loses_no_request(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let kills = KUBELETS_KILLED_IN_A_DRAIN.times();
        let tags = [the_loop.fresh_tag(live)?, live.to_owned()];
        let manifest = clone.read(MANIFEST)?;
        ensure("the drain that is shipped", manifest.contains(SHIPPED), &manifest)?;
        let pods = the_loop.watch(NAMESPACE, "pods")?;
        let drains = Drains { the_loop, clone, pods, tags };
        let (mut lost, mut noticed) = (Vec::new(), 0);
        for _ in 0..kills {
            // The pod that goes has the delay of the rollout before.
            let (requests, failed) = drains.roll_out(0, SHORT)?;
            report
                .measured(format!("kubelet killed while a pod drains for 15 s: {failed} of {requests} requests fail"));
            lost.push(failed);
            if kills > 1 {
                let (requests, failed) = drains.roll_out(1, SHIPPED)?;
                report.control(format!("while one drains for 5 s: {failed} of {requests} requests fail"));
                noticed += failed;
            }
        }
        ensure("no request fails", lost.iter().all(|failed| *failed == 0), format!("{lost:?}"))?;
        // One kill may come a moment too late to be noticed; many do not.
        ensure("the load notices a drain that is too short", noticed > 0 || kills == 1, noticed)
    })
}

struct Drains<'a> {
    the_loop: &'a Loop,
    clone: &'a Clone,
    pods: Watch,
    tags: [String; 2],
}

impl Drains<'_> {
    /// A kubelet is killed as soon as the old pod drains; requests, and how many of them failed.
    fn roll_out(&self, tag: usize, next_delay: &str) -> Result<(u64, usize)> {
        let path = service::probe_path()?;
        let streams = [
            Stream { name: "kept alive", path, connections: Connections::Kept(16), rate: 200 },
            Stream { name: "fresh connections", path, connections: Connections::FreshEachTime, rate: 100 },
        ];
        let load = Load::start(service::ADDRESS.parse()?, &streams)?;
        self.pods.forget();
        self.clone.update()?;
        let manifest = self.clone.read(MANIFEST)?;
        self.clone.write(MANIFEST, &manifest.replace(SHORT, next_delay).replace(SHIPPED, next_delay))?;
        self.clone.set_tag(&self.tags[tag])?;
        self.clone.push_without_run("Roll out while a kubelet dies")?;
        self.the_loop.force_sync()?;
        self.pods.first("a pod that drains", Instant::now() + ROLLED_OUT, |pod| {
            !pod["metadata"]["deletionTimestamp"].is_null()
        })?;
        let killed = Instant::now();
        KUBELET.kill(self.the_loop)?;
        self.the_loop.wait_for_old_pods()?;
        let ended = load.end()?;
        let failures = ended.iter().flat_map(|stream| &stream.failures);
        let failed = ended.iter().map(|stream| stream.failures.len()).sum();
        if failed > 0 {
            println!("      {}", summary(failures.clone()));
            let after = |failure: &Failure| (failure.at - killed).as_secs_f64();
            let times: Vec<String> = failures.map(|failure| format!("{:.1}", after(failure))).collect();
            println!("      seconds after the kill: {}", times.join(" "));
        }
        Ok((ended.iter().map(|stream| stream.requests).sum(), failed))
    }
}
