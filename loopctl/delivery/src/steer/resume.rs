//! Lifting a hold: a push whose own run delivers the newest commit.

use anyhow::Result;
use serde::Serialize;

use super::branch::Branch;
use super::diff;
use crate::git::change::Change;
use crate::handle::Delivery;
use crate::manifest::edit;

#[derive(Clone, Debug, Serialize)]
pub struct Resume {
    /// The revision that the hold names as bad.
    pub bad: String,
    /// What is deployed meanwhile.
    pub deployed: String,
    /// Nothing was repaired: the run would build and deliver the same inputs again.
    pub unchanged: bool,
}

impl Resume {
    /// None when nothing is held.
    pub fn plan(delivery: &Delivery, branch: &Branch) -> Result<Option<Self>> {
        let Some(bad) = branch.hold.clone() else { return Ok(None) };
        let commits = delivery.git.named_by(&format!("sha-{bad}"), &branch.tip)?;
        let unchanged = match commits.as_slice() {
            [commit] => delivery.git.same_inputs(commit, &branch.tip)?,
            // A tag may stand for no commit, or for several: then nothing is said about it.
            _ => false,
        };
        Ok(Some(Self { bad, deployed: branch.revision.clone(), unchanged }))
    }

    pub fn describe(&self, branch: &Branch) -> Result<String> {
        let after = edit::lift(&branch.file, &branch.text)?;
        let warning = if self.unchanged {
            format!(
                "\nNothing was repaired: the image's inputs are those of sha-{}, so the same would be delivered again.\n",
                self.bad
            )
        } else {
            String::new()
        };
        Ok(format!(
            "held      because of sha-{}; sha-{} is deployed meanwhile\n\
             then      the push starts a run, which builds and delivers the newest commit\n{warning}\n{}",
            self.bad,
            self.deployed,
            diff(&branch.file, &branch.text, &after)
        ))
    }

    /// None when somebody else has lifted it meanwhile, or holds because of another revision now.
    pub fn push(&self, delivery: &Delivery) -> Result<Option<String>> {
        delivery.git.change(&delivery.remote, &delivery.names.branch, |tip| {
            let branch = delivery.branch_at(tip.to_owned())?;
            if branch.hold.as_deref() != Some(self.bad.as_str()) {
                return Ok(None);
            }
            let files = vec![(branch.file.clone(), edit::lift(&branch.file, &branch.text)?)];
            Ok(Some(Change { files, message: self.message() }))
        })
    }

    pub fn message(&self) -> String {
        format!(
            "Lift the hold because of sha-{}\n\nThe run of this push delivers the newest commit.\n\nBad-Revision: {}\n",
            self.bad, self.bad
        )
    }
}
