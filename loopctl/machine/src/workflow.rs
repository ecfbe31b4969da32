//! Runs the repository's own workflow file, unmodified, on this machine.
//!
//! act runs it. What act accepts and does not enforce is done here, as GitHub would do it: which
//! pushes start a run, a job's time limit, and what a run's token may do.

pub mod actions;
pub mod again;
pub mod build_cache;
pub mod containers;
pub mod ending;
pub mod file;
pub mod follow;
pub mod log;
pub mod record;
pub mod rules;
pub mod runner;
pub mod runs;
pub mod scheduler;
pub mod tokens;
pub mod tools;

/// The one workflow that the loop runs; the others check the repository and deliver nothing.
pub const FILE: &str = ".github/workflows/deploy.yml";
