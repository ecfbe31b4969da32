//! What `doctor` looks at: facts are collected once, and each check is a pure function from them to findings.

pub mod collect;
pub mod facts;
pub mod plan;
pub mod report;

#[cfg(test)]
pub mod cases;

use crate::coordinates::Files;
use facts::Facts;
use serde::Serialize;

/// Something that is wrong, and the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub what: String,
    pub mend: String,
}

/// What one check has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// What was found to be right, in a few words.
    pub notes: Vec<String>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

impl Verdict {
    pub fn find(&mut self, what: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), mend: mend.into() });
    }

    /// With the names of that service.
    fn of_service(self, files: &Files) -> Self {
        let all = |said: Vec<String>| said.iter().map(|said| files.said(said)).collect();
        let finding = |finding: Finding| Finding { what: files.said(&finding.what), mend: files.said(&finding.mend) };
        Self {
            findings: self.findings.into_iter().map(finding).collect(),
            notes: all(self.notes),
            unseen: all(self.unseen),
        }
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub fn unseen(&mut self, why: impl Into<String>) {
        let why = why.into();
        if !self.unseen.contains(&why) {
            self.unseen.push(why);
        }
    }
}

pub struct Check {
    pub name: &'static str,
    pub look: fn(&Facts, &mut Verdict),
}

macro_rules! checks {
    ($($file:ident),* $(,)?) => {
        $(pub mod $file;)*
        pub const CHECKS: &[Check] = &[$(Check { name: $file::NAME, look: $file::look }),*];
    };
}

// In the order in which a delivery needs them; each has a file of its own.
checks![
    holds,
    application,
    argocd_parts,
    account,
    rollout,
    endpoints,
    nodes,
    quotas,
    pull_secret,
    ownership,
    sizing,
    automation,
    tracking,
    project,
    settings,
    versions,
    node_ports,
    template,
];

/// Asked for last and by itself, as it runs a program that takes its time.
pub const PLAN: Check = Check { name: "tofu plan", look: plan::look };

pub fn examine(facts: &Facts) -> Vec<(&'static str, Verdict)> {
    let all = CHECKS.iter().chain([&PLAN]);
    all.map(|check| {
        let mut verdict = Verdict::default();
        (check.look)(facts, &mut verdict);
        (check.name, verdict.of_service(&facts.names.files))
    })
    .collect()
}
