//! argo-rust: a small REST API that is delivered by its own repository.

/// Every setting, its variable and default, read once.
pub mod config;
/// Fibonacci numbers: the route, what it allows, and the arithmetic below it.
pub mod fibonacci;
/// The table of contents of the API.
pub mod router;
/// One file per resource.
pub mod routes;
/// What every service keeps: ports, connections, timeouts, drain, metrics, logs, problems.
pub mod server;
