//! What changes is told to whoever does not look: outbound only, each change once, and never of what could not be seen.

pub mod github;
mod post;
pub mod webhook;

use crate::Seen;

#[derive(Default)]
pub struct Tell {
    pub github: Option<github::GitHub>,
    pub webhook: Option<webhook::Webhook>,
}

impl Tell {
    pub fn begin(self, seen: &Seen) {
        if let Some(github) = self.github {
            tokio::spawn(github.follow(seen.clone()));
        }
        if let Some(webhook) = self.webhook {
            tokio::spawn(webhook.follow(seen.clone()));
        }
    }
}
