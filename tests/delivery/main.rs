//! The repository agrees with itself. Nothing here starts a process: the files are read and compared, and a failure
//! says which file to change to what.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must panic")]

mod argocd;
mod contract;
mod documents;
mod image;
mod manifests;
mod ownership;
mod proofs;
mod provider;
mod repository;
mod walk;
mod workflow;
