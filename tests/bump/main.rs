//! The scripts that decide about and write the image's tag, run against real git repositories.
//!
//! Replay a failure with the seed it printed: `BUMP_SEED=7 cargo test --test bump`. `BUMP_ROUNDS` (60) sets how long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must panic"
)]

mod cases;
mod failures;
mod history;
mod image_changed;
mod manifest;
mod outcomes;
mod people;
mod rounds;
mod run;
mod services;
mod smoke_image;
mod world;
