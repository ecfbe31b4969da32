//! What `rollback`, `resume` and `guard` have in common: which way back there is, and the commit that takes it.

pub mod branch;
pub mod evidence;
pub mod follow;
pub mod healthy;
pub mod resume;
pub mod rollback;
pub mod watch;

use similar::TextDiff;

/// As `git diff` shows it.
pub fn diff(file: &str, before: &str, after: &str) -> String {
    let (old, new) = (format!("a/{file}"), format!("b/{file}"));
    TextDiff::from_lines(before, after).unified_diff().header(&old, &new).to_string()
}
