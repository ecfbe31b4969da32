//! One command a file: its options, then what it does.

pub mod board;
pub mod completions;
pub mod confirm;
pub mod doctor;
pub mod guard;
#[cfg(target_os = "linux")]
pub mod local;
pub mod new;
pub mod pull_secret;
pub mod resume;
pub mod rollback;
pub mod service;
pub mod sync;
pub mod update;
pub mod verify;
pub mod wait;
pub mod where_is;
