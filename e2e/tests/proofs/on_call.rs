//! What `loopctl where` says when something is in the way: faults planted one at a time, each named by its real reason
//! and mended by what is said.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::application::{KIND, SYNC};
use e2e::repetitions::FAULTS_IN_THE_WAY;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE, service, shell};
use serde_json::{Value, json};

use crate::doctor::as_printed;
use crate::hops::tag_of;

/// Of a commit that is live; and while nothing is in its way.
const LIVE: i32 = 0;
const TIMED_OUT: i32 = 5;
/// Within this time the reason is named.
const NAMED: Duration = Duration::from_secs(30);
const MENDED: Duration = Duration::from_secs(90);

const SERVICE: &str = "k8s/service.yaml";
const OWN: &str = "  selector:\n    app.kubernetes.io/name: argo-rust\n";
const NOBODYS: &str = "  selector:\n    app.kubernetes.io/name: nobody\n";
const QUOTA: &str = "one-pod";

struct Fault {
    is: &'static str,
    plant: fn(&Loop, &Clone) -> Result<()>,
    asked: Asked,
    says: &'static str,
    mend: Mend,
}

/// About which commit.
enum Asked {
    /// The one that is live.
    Live,
    /// One that is pushed, with its bump, when the fault is there.
    Bumped,
    /// One that is pushed, for which no run was started.
    Pushed,
}

enum Mend {
    /// The command that is said.
    AsPrinted,
    By(fn(&Loop, &Clone) -> Result<()>),
    Nothing,
}

const FAULTS: [Fault; 8] = [
    Fault {
        is: "a Service that selects nobody",
        plant: |the_loop, clone| selector(the_loop, clone, OWN, NOBODYS),
        asked: Asked::Live,
        says: "the Service selects no ready pod",
        mend: Mend::By(|the_loop, clone| selector(the_loop, clone, NOBODYS, OWN)),
    },
    Fault {
        is: "skip-reconcile on the Application",
        plant: |the_loop, _| {
            let annotation = "argocd.argoproj.io/skip-reconcile=true";
            the_loop.ask(&["annotate", KIND, APPLICATION, "-n", "argocd", annotation])?;
            Ok(())
        },
        asked: Asked::Bumped,
        says: "skip-reconcile stops Argo CD",
        mend: Mend::AsPrinted,
    },
    Fault {
        is: "a paused rollout",
        plant: |the_loop, _| {
            the_loop.ask(&["rollout", "pause", "deployment", DEPLOYMENT, "-n", NAMESPACE])?;
            Ok(())
        },
        asked: Asked::Bumped,
        says: "the rollout is paused",
        mend: Mend::AsPrinted,
    },
    Fault {
        is: "a repo-server without a pod",
        plant: |the_loop, _| {
            the_loop.ask(&["scale", "deployment", "argocd-repo-server", "-n", "argocd", "--replicas=0"])?;
            Ok(())
        },
        asked: Asked::Bumped,
        says: "argocd-repo-server, a part of Argo CD, is scaled to 0",
        mend: Mend::AsPrinted,
    },
    Fault {
        is: "an Application that watches another branch",
        plant: |the_loop, clone| {
            clone.push_elsewhere("elsewhere")?;
            application(
                the_loop,
                json!([{"op": "replace", "path": "/spec/source/targetRevision", "value": "elsewhere"}]),
            )
        },
        asked: Asked::Bumped,
        says: "Argo CD watches elsewhere, not master",
        mend: Mend::AsPrinted,
    },
    Fault {
        is: "an Application that does not sync by itself",
        plant: |the_loop, _| application(the_loop, json!([{"op": "remove", "path": "/spec/syncPolicy/automated"}])),
        asked: Asked::Bumped,
        says: "automated sync is off",
        mend: Mend::AsPrinted,
    },
    Fault {
        is: "a quota of one pod",
        plant: |the_loop, _| {
            the_loop.ask(&["create", "quota", QUOTA, "-n", NAMESPACE, "--hard=pods=1"])?;
            Ok(())
        },
        asked: Asked::Bumped,
        says: "exceeded quota",
        mend: Mend::By(|the_loop, _| {
            the_loop.ask(&["delete", "quota", QUOTA, "-n", NAMESPACE])?;
            Ok(())
        }),
    },
    Fault {
        is: "a commit that wants no run",
        plant: |_, _| Ok(()),
        asked: Asked::Pushed,
        says: "no run of the workflow will come",
        mend: Mend::Nothing,
    },
];

fn selector(the_loop: &Loop, clone: &Clone, from: &str, to: &str) -> Result<()> {
    clone.update()?;
    clone.replace(SERVICE, from, to)?;
    let commit = clone.push_without_run("Select other pods")?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, SYNC)?;
    Ok(())
}

fn application(the_loop: &Loop, patch: Value) -> Result<()> {
    the_loop.patch("argocd", KIND, APPLICATION, "e2e", &patch)
}

pub fn whatever_is_in_a_commits_way_is_named_with_what_mends_it(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let good = shell::run(clone.git().args(["rev-parse", live.trim_start_matches("sha-")]))?.trim().to_owned();
        the_loop.companion(&["wait", &good, "--timeout", "30s"])?.ended(LIVE)?;
        report.control("with nothing in its way the live commit is said to be live");
        let source = clone.read("src/main.rs")?;
        for fault in FAULTS.iter().take(usize::try_from(FAULTS_IN_THE_WAY.times())?) {
            let named = name_and_mend(the_loop, clone, live, &good, fault);
            report.measured(named.with_context(|| fault.is)?);
        }
        // No change of the service is left for whichever proof comes next.
        clone.update()?;
        clone.write("src/main.rs", &source)?;
        clone.push_without_run("Take the changes of the service back")?;
        Ok(())
    })
}

fn name_and_mend(the_loop: &Loop, clone: &Clone, live: &str, good: &str, fault: &Fault) -> Result<String> {
    (fault.plant)(the_loop, clone)?;
    let begin = Instant::now();
    let asked = match fault.asked {
        Asked::Live => good.to_owned(),
        Asked::Pushed => change(clone, fault.is)?,
        Asked::Bumped => {
            let commit = change(clone, fault.is)?;
            the_loop.variant(live, &tag_of(&commit), "--label=e2e=in-the-way")?;
            clone.bump(&tag_of(&commit))?;
            the_loop.force_sync()?;
            commit
        }
    };
    let ((state, reason), _) = wait::until(fault.says, NAMED, || {
        let answer = the_loop.companion(&["where", &asked, "-o", "json"])?.json()?;
        let said = sentences(&answer);
        let reason = said.iter().find(|sentence| sentence.contains(fault.says));
        let state = answer["state"].as_str().unwrap_or_default().to_owned();
        match reason {
            Some(reason) => Ok((state, reason.clone())),
            None => bail!("{state}: {said:#?}"),
        }
    })?;
    let named = begin.elapsed();
    ensure("a commit that nobody is served with is not live", state != "live", &state)?;
    the_loop.companion(&["wait", &asked, "--timeout", "0s"])?.ended(TIMED_OUT)?;
    match fault.mend {
        Mend::AsPrinted => as_printed(the_loop, command(&reason)?)?,
        Mend::By(mend) => mend(the_loop, clone)?,
        Mend::Nothing => return Ok(format!("{}: {state} after {}: {reason}", fault.is, seconds(named))),
    }
    let begin = Instant::now();
    wait::until("the commit goes on", MENDED, || {
        if !matches!(fault.asked, Asked::Live) {
            return the_loop.is_rolled_out(&tag_of(&asked));
        }
        expect("what answers", service::image_tag()?, tag_of(&asked))
    })?;
    Ok(format!("{}: {state} after {}: {reason}; mended after {}", fault.is, seconds(named), seconds(begin.elapsed())))
}

/// A change of the service, of which no run knows.
fn change(clone: &Clone, remark: &str) -> Result<String> {
    clone.update()?;
    clone.write("src/main.rs", &format!("{}// {remark}\n", clone.read("src/main.rs")?))?;
    clone.push_without_run("Change the service")
}

/// Every sentence of an answer, hop by hop.
fn sentences(answer: &Value) -> Vec<String> {
    let hops = answer["hops"].as_array().into_iter().flatten();
    let of_hop = |hop: &Value| {
        let reasons = hop["reason"].as_array().cloned().unwrap_or_default();
        [hop["detail"].clone()].into_iter().chain(reasons).filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    hops.flat_map(|hop| -> Vec<String> { of_hop(hop) }).filter(|text| !text.is_empty()).collect()
}

/// What stands between the first two backticks.
fn command(reason: &str) -> Result<&str> {
    let command = reason.split('`').nth(1);
    command.with_context(|| format!("expected: a command between backticks\nseen: {reason}"))
}
