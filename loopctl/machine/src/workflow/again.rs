//! Runs a run once more, like GitHub's button: the same push, the same workflow, another number.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::runs::{Request, Run};
use crate::Place;
use crate::bare::LOOK;
use crate::repository::server;

pub fn again(place: &Place, run: &Run) -> Result<Run> {
    let request = run.request()?.with_context(|| format!("there is no run {}", run.number))?;
    let path = run.folder.join("workflow.yml");
    let workflow = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = Run::call(place, &workflow, &Request { called: SystemTime::now(), ..request })?;
    tell_the_server(place)?;
    Ok(new)
}

/// It looks for new runs after each push and each end; this one came in another way.
fn tell_the_server(place: &Place) -> Result<()> {
    let credentials = BASE64_STANDARD.encode(format!("developer:{}", place.secret("git-password")?));
    let settings = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).proxy(None).build();
    ureq::Agent::from(settings)
        .post(format!("{}{LOOK}", server()))
        .header("Authorization", format!("Basic {credentials}"))
        .send_empty()
        .context("the git server does not take the run; `cargo loopctl logs git` shows why")?;
    Ok(())
}
