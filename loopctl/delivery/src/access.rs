//! The errors that say: this person does not get in there.

use std::fmt;

/// An outside system could not be reached or refuses this person; says what to do about it.
#[derive(Debug)]
pub struct NoAccess(pub String);

/// The repository was reached and takes no push from this person, now or later: somebody else has to make it.
#[derive(Debug)]
pub struct MayNotPush(pub String);

impl fmt::Display for NoAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for MayNotPush {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NoAccess {}

impl std::error::Error for MayNotPush {}

/// Whether an error means that somebody else, or the same person with other rights, has to do it.
pub fn is_refused(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<NoAccess>() || cause.is::<MayNotPush>())
}
