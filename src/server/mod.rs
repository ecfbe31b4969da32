/// What a connection does at the moment, and since when.
pub mod activity;
/// Version, revision and image tag: what this binary is.
pub mod build_info;
/// What is asked on the command line, and `--help`.
pub mod command_line;
/// One connection from its first byte to its end: requests, buffers, timeouts.
pub mod connection;
/// What the API says of itself: its paths, its description, the answer to a path that is none.
pub mod contents;
/// Settings as the environment has them, and what is said of a bad one.
pub mod environment;
/// How long a request's head may be, and what the RFCs ask of it beyond what hyper looks at.
pub mod head;
/// One timer for all request heads of a connection.
pub mod head_timer;
/// Ports are bound here, and the limit on open files raised.
pub mod listener;
/// Names, labels and registration of what Prometheus reads of every service.
pub mod metrics;
/// The limit on connections, and who makes room when there are more.
pub mod places;
/// One error type, one mapping to status and problem+json.
pub mod problem;
/// Problems for what hyper refuses by itself.
pub mod refusal;
/// Lines that would else be logged many times a second.
pub mod seldom;
/// The accept loop and its end.
pub mod serve;
/// The settings of every service.
pub mod settings;
/// Signals and the drain they start.
pub mod shutdown;
/// What a resource may ask for while the service starts, and where it puts its routes.
pub mod startup;
/// A connection's socket: reading, writing within a time, and whether the client is still there.
pub mod stream;
/// Logs, as text or JSON.
pub mod telemetry;
