//! argo-rust: a small REST API that is delivered by its own repository.

/// The body of a long answer, made while it is sent.
pub mod answer;
/// Version, revision and image tag: what this binary is.
pub mod build_info;
/// Runs long computations off the async threads, few at a time.
pub mod calculator;
/// Every setting, its variable and default, read once.
pub mod config;
/// One connection from its first byte to its end: requests, buffers, timeouts.
pub mod connection;
/// One error type, one mapping to status and problem+json.
pub mod error;
/// Pure arithmetic and its limit; knows nothing of HTTP.
pub mod fibonacci;
/// One timer for all request heads of a connection.
pub mod head_timer;
/// Ports are bound here, and the limit on open files raised.
pub mod listener;
/// Names, labels and registration of everything Prometheus reads.
pub mod metrics;
/// The table of contents of the API.
pub mod router;
/// One file per resource.
pub mod routes;
/// The accept loop, its limit and its end.
pub mod serve;
/// Signals and the drain they start.
pub mod shutdown;
/// A connection's socket: reading, writing within a time, and whether the client is still there.
pub mod stream;
/// Logs, as text or JSON.
pub mod telemetry;
