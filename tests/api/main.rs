//! The service from outside: a process of its own, asked over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must panic"
)]

mod client;
mod conformance;
mod documents;
mod drain;
mod drain_at_its_worst;
mod fibonacci;
mod limits;
mod load;
mod logs;
mod metrics;
mod routes;
mod service;
mod settings;
