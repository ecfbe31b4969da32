//! One command a file: its options, then what it does.

pub mod completions;
pub mod confirm;
pub mod doctor;
pub mod down;
pub mod git_server;
pub mod guard;
pub mod keep;
pub mod logs;
pub mod progress;
pub mod pull_secret;
pub mod push;
pub mod rename;
pub mod resume;
pub mod rollback;
pub mod run_program;
pub mod runs;
pub mod service;
pub mod status;
pub mod sync;
pub mod up;
pub mod verify;
pub mod wait;
pub mod where_is;
