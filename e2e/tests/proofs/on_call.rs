//! What `loopctl where` says when something is in the way: faults planted one at a time, each named by its real reason
//! and mended by what is said.

mod argocd;
mod container;
mod fault;
mod git;
mod machine;
mod pods;
mod serving;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::application::AFTER_A_FAILURE;
use e2e::repetitions::FAULTS_IN_THE_WAY;
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{Loop, service, shell};
use serde_json::Value;

use self::fault::{Asked, Fault, LIVE, Mend};
use crate::doctor::{Finding, as_printed, asked, the_one};
use crate::hops::tag_of;

/// Within this time the reason is named.
const NAMED: Duration = Duration::from_secs(30);
const MENDED: Duration = Duration::from_secs(120);

/// By the place where a person would look for them. Where few are planted, it is the first of the first places.
const PLACES: [&[Fault]; 6] =
    [serving::FAULTS, argocd::FAULTS, pods::FAULTS, container::FAULTS, git::FAULTS, machine::FAULTS];

/// The live commit, and what is delivered while faults come and go.
struct Delivered<'a> {
    the_loop: &'a Loop,
    clone: &'a Clone,
    /// Before the first fault.
    start: String,
    live: &'a str,
    good: String,
}

pub fn whatever_is_in_a_commits_way_is_named_with_what_mends_it(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let good = shell::run(clone.git().args(["rev-parse", live.trim_start_matches("sha-")]))?.trim().to_owned();
        the_loop.companion(&["wait", &good, "--timeout", "30s"])?.ended(LIVE)?;
        report.control("with nothing in its way the live commit is said to be live");
        let source = clone.read("src/main.rs")?;
        let delivered = Delivered { the_loop, clone, start: clone.head()?, live, good };
        let mut failed = Vec::new();
        for fault in chosen()? {
            match delivered.name_and_mend(fault) {
                Ok(said) => report.measured(said),
                Err(error) => {
                    println!("FAILED {}: {error:#}", fault.is);
                    failed.push(format!("{}: {error:#}", fault.is));
                    // The faults that follow are not to be planted on top of this one.
                    delivered.begin_anew(fault).with_context(|| format!("after {}", fault.is))?;
                }
            }
        }
        // No change of the service is left for whichever proof comes next.
        clone.update()?;
        clone.write("src/main.rs", &source)?;
        clone.push_without_run("Take the changes of the service back")?;
        ensure("each fault is named and mended", failed.is_empty(), failed.join("\n"))
    })
}

/// `E2E_FAULT` names those with one of its words in them, for whoever works on some.
fn chosen() -> Result<Vec<&'static Fault>> {
    let all: Vec<&Fault> = PLACES.into_iter().flatten().collect();
    if let Ok(words) = std::env::var("E2E_FAULT") {
        return Ok(all.into_iter().filter(|fault| words.split(',').any(|word| fault.is.contains(word))).collect());
    }
    let count = usize::try_from(FAULTS_IN_THE_WAY.times())?;
    if count <= PLACES.len() {
        return Ok(PLACES.iter().filter_map(|place| place.first()).take(count).collect());
    }
    expect("faults that are planted", all.len(), count)?;
    Ok(all)
}

impl Delivered<'_> {
    fn name_and_mend(&self, fault: &Fault) -> Result<String> {
        let (the_loop, clone) = (self.the_loop, self.clone);
        if matches!(fault.asked, Asked::Live) && clone.tag()? != self.live {
            the_loop.deliver(clone, self.live)?;
        }
        clone.update()?;
        // A sync that has failed is tried again before any other.
        wait::until("Argo CD is at rest", AFTER_A_FAILURE, || {
            let state = the_loop.application()?["status"]["operationState"]["phase"].take();
            expect("the last sync", state, Value::from("Succeeded"))
        })?;
        (fault.plant)(the_loop, clone)?;
        let begin = Instant::now();
        let commit = self.commit(fault)?;
        let (state, reason) = self.named(fault, &commit)?;
        let after = begin.elapsed();
        self.the_loop.companion(&["wait", &commit, "--timeout", "0s"])?.ended(fault.ends)?;
        let found = self.found_by_doctor(fault)?;
        let begin = Instant::now();
        self.mend(fault, &commit, &reason, found.as_ref().map(|(_, mend)| mend.as_str()))?;
        self.goes_on(fault, &commit)?;
        let doctor = found.map(|(what, _)| format!("; doctor: {what}")).unwrap_or_default();
        let mended = match fault.mend {
            Mend::Nothing => String::new(),
            _ => format!("; mended after {}", seconds(begin.elapsed())),
        };
        Ok(format!("{}: {state} after {}: {reason}{doctor}{mended}", fault.is, seconds(after)))
    }

    fn begin_anew(&self, fault: &Fault) -> Result<()> {
        (fault.unplant)(self.the_loop, self.clone)?;
        let commit = self.clone.restore(&self.start)?;
        self.the_loop.force_sync()?;
        self.the_loop.wait_synced(&commit, AFTER_A_FAILURE)?;
        self.the_loop.wait_rolled_out(self.live).map(drop)
    }

    /// The one that is asked about.
    fn commit(&self, fault: &Fault) -> Result<String> {
        let (the_loop, clone) = (self.the_loop, self.clone);
        let edit = match fault.asked {
            Asked::Live => return Ok(self.good.clone()),
            Asked::Tip => return clone.update(),
            Asked::Pushed => return change(clone, fault.is),
            Asked::Bumped | Asked::WithoutImage => |_: &Clone| Ok(()),
            Asked::BumpedWith(edit) => edit,
        };
        let commit = change(clone, fault.is)?;
        let tag = tag_of(&commit);
        if !matches!(fault.asked, Asked::WithoutImage) {
            the_loop.variant(self.live, &tag, "--label=e2e=in-the-way")?;
        }
        clone.update()?;
        edit(clone)?;
        clone.set_tag(&tag)?;
        clone.push_without_run(&format!("ci: update image to {tag}"))?;
        // Without an Application nobody can be asked to look.
        drop(the_loop.force_sync());
        Ok(commit)
    }

    /// The state and the sentence with the reason.
    fn named(&self, fault: &Fault, asked: &str) -> Result<(String, String)> {
        let ((state, reason), _) = wait::until(fault.says, NAMED, || {
            let answer = self.the_loop.companion(&["where", asked, "-o", "json"])?.json()?;
            let said = sentences(&answer);
            let state = answer["state"].as_str().unwrap_or_default().to_owned();
            match said.iter().find(|sentence| sentence.contains(fault.says)) {
                Some(reason) => Ok((state, reason.clone())),
                None => bail!("{state}: {said:#?}"),
            }
        })?;
        let is_served = fault.ends == LIVE;
        ensure("live is what somebody is served with", (state == "live") == is_served, &state)?;
        Ok((state, reason))
    }

    /// The finding and the command that is printed with it.
    fn found_by_doctor(&self, fault: &Fault) -> Result<Option<Finding>> {
        if fault.doctor.is_empty() {
            return Ok(None);
        }
        let (_, found) = asked(self.the_loop)?;
        the_one(&found, fault.doctor).map(Some)
    }

    fn mend(&self, fault: &Fault, asked: &str, reason: &str, printed: Option<&str>) -> Result<()> {
        let (the_loop, clone) = (self.the_loop, self.clone);
        match fault.mend {
            Mend::AsPrinted => as_printed(the_loop, command(reason)?)?,
            Mend::AsDoctorPrints => as_printed(the_loop, printed.context("doctor found nothing")?)?,
            Mend::Unplanted => (fault.unplant)(the_loop, clone)?,
            Mend::InGit => {
                let commit = clone.restore_with(&self.start, &tag_of(asked))?;
                the_loop.force_sync()?;
                the_loop.wait_synced(&commit, AFTER_A_FAILURE)?;
            }
            Mend::Nothing => return Ok(()),
        }
        // What is printed mends; whatever else the fault has left is no concern of the faults that follow.
        if !matches!(fault.mend, Mend::Unplanted) { (fault.unplant)(the_loop, clone) } else { Ok(()) }
    }

    fn goes_on(&self, fault: &Fault, asked: &str) -> Result<()> {
        let wanted = match (&fault.mend, &fault.asked) {
            (Mend::Nothing, _) => return Ok(()),
            (_, Asked::WithoutImage | Asked::Tip | Asked::Pushed) => {
                return self.the_loop.deliver(self.clone, self.live).map(drop);
            }
            (_, Asked::Live) => self.live.to_owned(),
            _ => tag_of(asked),
        };
        wait::until("the commit goes on", MENDED, || {
            self.the_loop.is_rolled_out(&wanted)?;
            // The variants of an image say what they were made of.
            expect("what answers", service::image_tag()?, self.live.to_owned())
        })?;
        Ok(())
    }
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
