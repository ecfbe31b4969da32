//! What `doctor` looks at: facts are collected once, and each check is a pure function from them to findings.

pub mod account;
pub mod application;
pub mod argocd_parts;
pub mod automation;
pub mod collect;
pub mod endpoints;
pub mod facts;
pub mod holds;
pub mod node_ports;
pub mod nodes;
pub mod ownership;
pub mod plan;
pub mod project;
pub mod pull_secret;
pub mod quotas;
pub mod report;
pub mod rollout;
pub mod settings;
pub mod sizing;
pub mod tracking;
pub mod versions;

#[cfg(test)]
pub mod cases;

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

/// In the order in which a delivery needs them.
pub const CHECKS: [Check; 17] = [
    Check { name: holds::NAME, look: holds::look },
    Check { name: "application", look: application::look },
    Check { name: "argocd parts", look: argocd_parts::look },
    Check { name: "sync account", look: account::look },
    Check { name: "rollout", look: rollout::look },
    Check { name: "endpoints", look: endpoints::look },
    Check { name: "nodes", look: nodes::look },
    Check { name: "quotas", look: quotas::look },
    Check { name: "pull secret", look: pull_secret::look },
    Check { name: "field owners", look: ownership::look },
    Check { name: "sizing kept", look: sizing::look },
    Check { name: "automation", look: automation::look },
    Check { name: "tracking", look: tracking::look },
    Check { name: "project", look: project::look },
    Check { name: "settings", look: settings::look },
    Check { name: "versions", look: versions::look },
    Check { name: "node ports", look: node_ports::look },
];

/// Asked for last and by itself, as it runs a program that takes its time.
pub const PLAN: Check = Check { name: "tofu plan", look: plan::look };

pub fn examine(facts: &Facts) -> Vec<(&'static str, Verdict)> {
    let all = CHECKS.iter().chain([&PLAN]);
    all.map(|check| {
        let mut verdict = Verdict::default();
        (check.look)(facts, &mut verdict);
        (check.name, verdict)
    })
    .collect()
}
