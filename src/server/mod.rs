/// Version, revision and image tag: what this binary is.
pub mod build_info;
/// One connection from its first byte to its end: requests, buffers, timeouts.
pub mod connection;
/// One timer for all request heads of a connection.
pub mod head_timer;
/// Ports are bound here, and the limit on open files raised.
pub mod listener;
/// Names, labels and registration of what Prometheus reads of every service.
pub mod metrics;
/// One error type, one mapping to status and problem+json.
pub mod problem;
/// The accept loop, its limit and its end.
pub mod serve;
/// Signals and the drain they start.
pub mod shutdown;
/// A connection's socket: reading, writing within a time, and whether the client is still there.
pub mod stream;
/// Logs, as text or JSON.
pub mod telemetry;
