//! The end of a run, however it comes: what it was lent is given back.

use std::fs;

use anyhow::{Context, Result};

use super::runs::{Conclusion, Outcome, Run};
use super::{build_cache, tokens};
use crate::private::write_private;
use crate::{Place, cgroups, mounts};

impl Run {
    /// Ends everything the run has started, and writes down why.
    pub fn end(&self, place: &Place, conclusion: Conclusion, reason: &str) -> Result<()> {
        cgroups::end(&format!("parts/{}", self.control_group()))?;
        let since = self.request()?.and_then(|request| request.called.elapsed().ok()).unwrap_or_default();
        let reason = Some(reason.to_owned());
        self.close(place, &Outcome { conclusion, reason, seconds: since.as_secs_f64(), steps: Vec::new() })
    }

    /// Takes the run's rights away, clears its work away and writes down how it ended.
    pub fn close(&self, place: &Place, outcome: &Outcome) -> Result<()> {
        tokens::take_back(place, self)?;
        build_cache::give_back(place, self)?;
        mounts::release(&self.work())?;
        if self.work().exists() {
            fs::remove_dir_all(self.work()).with_context(|| format!("cannot remove {}", self.work().display()))?;
        }
        write_private(&self.folder.join("result.json"), &serde_json::to_string_pretty(outcome)?)
    }
}
