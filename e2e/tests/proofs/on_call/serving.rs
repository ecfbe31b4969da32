//! Nobody is led to the pods, or nobody answers there.

use anyhow::Result;
use e2e::application::SYNC;
use e2e::faults::{PROVIDER, application, replicas};
use e2e::repository::Clone;
use e2e::{DEPLOYMENT, Loop, NAMESPACE};
use serde_json::json;

use super::fault::{Asked, Fault, Mend, planted};

const SERVICE: &str = "k8s/service.yaml";
const OWN: &str = "  selector:\n    app.kubernetes.io/name: argo-rust\n";
const NOBODYS: &str = "  selector:\n    app.kubernetes.io/name: nobody\n";

pub const FAULTS: &[Fault] = &[
    planted(
        "a Service that selects nobody",
        |the_loop, clone| service(the_loop, clone, OWN, NOBODYS),
        |the_loop, clone| service(the_loop, clone, NOBODYS, OWN),
        "the Service selects no ready pod",
    )
    .asked(Asked::Live)
    .found("selects no pod"),
    planted(
        "a Service that leads to another port",
        |the_loop, clone| service(the_loop, clone, "targetPort: 8080", "targetPort: 9999"),
        |the_loop, clone| service(the_loop, clone, "targetPort: 9999", "targetPort: 8080"),
        "leads to port 9999, and the pods listen at 8080",
    )
    .asked(Asked::Live)
    .found("leads to port 9999"),
    planted(
        "a Service that somebody has deleted",
        |the_loop, _| {
            // Argo CD would make it again before anybody could look.
            heal(the_loop, false)?;
            the_loop.ask(&["delete", "service", DEPLOYMENT, "-n", NAMESPACE]).map(drop)
        },
        |the_loop, _| heal(the_loop, true),
        "there is no Service: nobody can be served",
    )
    .asked(Asked::Live)
    .found("selfHeal is off")
    .mended(Mend::AsDoctorPrints),
    planted(
        "a Deployment that is scaled to 0",
        |the_loop, _| replicas(the_loop, 0, PROVIDER),
        |the_loop, _| replicas(the_loop, 1, PROVIDER),
        "the Deployment is scaled to 0",
    )
    .asked(Asked::Live)
    .found("is scaled to 0")
    .mended(Mend::AsDoctorPrints),
];

fn service(the_loop: &Loop, clone: &Clone, from: &str, to: &str) -> Result<()> {
    clone.update()?;
    if !clone.read(SERVICE)?.contains(from) {
        return Ok(());
    }
    clone.replace(SERVICE, from, to)?;
    let commit = clone.push_without_run("Lead elsewhere")?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, SYNC).map(drop)
}

fn heal(the_loop: &Loop, on: bool) -> Result<()> {
    application(the_loop, "/spec/syncPolicy/automated/selfHeal", json!(on))
}
