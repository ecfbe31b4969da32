use std::sync::Arc;

use axum::routing::get;

use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

/// Which form of an answer a client prefers.
pub mod accept;
/// The body of a long answer, made while it is sent.
pub mod answer;
/// Pure arithmetic and its limit; knows nothing of HTTP.
pub mod arithmetic;
/// Runs long computations off the async threads, few at a time.
pub mod calculator;
/// The route as OpenAPI has it.
pub mod description;
/// Reads n as people write it.
pub mod index;
/// What Prometheus reads of the calculator.
pub mod metrics;
/// What a client is told instead of a number.
pub mod problem;
/// What answers, in two forms.
pub mod route;
/// The largest n.
pub mod settings;

pub fn add(startup: &mut Startup) -> Result<(), BadSetting> {
    let max = startup.setting(&settings::MAX)?;
    let metrics = metrics::FibonacciMetrics::registered_in(&mut startup.registry);
    let calculator = Arc::new(calculator::Calculator::new(max, metrics));
    let methods = get(route::fibonacci).with_state(calculator);
    startup.route("/fibonacci/{n}", methods, description::of_the_route());
    Ok(())
}
