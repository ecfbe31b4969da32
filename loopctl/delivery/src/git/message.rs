//! A commit's whole message.

use anyhow::Result;

use super::Git;

impl Git {
    pub fn message(&self, commit: &str) -> Result<String> {
        let object = self.ask(&["cat-file", "commit", commit])?;
        // Headers, an empty line, the message.
        Ok(object.split_once("\n\n").map(|(_, message)| message.to_owned()).unwrap_or_default())
    }
}
