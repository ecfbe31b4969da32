/// The body of a long answer, made while it is sent.
pub mod answer;
/// Pure arithmetic and its limit; knows nothing of HTTP.
pub mod arithmetic;
/// Runs long computations off the async threads, few at a time.
pub mod calculator;
/// Reads n as people write it.
pub mod index;
/// What Prometheus reads of the calculator.
pub mod metrics;
/// What a client is told instead of a number.
pub mod problem;
/// The route: its description, its two forms of an answer.
pub mod route;
