//! argo-rust: a small REST API that is delivered by its own repository.

/// Fibonacci numbers: the route, what it allows, and the arithmetic below it.
pub mod fibonacci;
/// The table of contents of the API, and one file per resource.
pub mod routes;
/// What every service keeps: settings, ports, connections, timeouts, drain, metrics, logs, problems.
pub mod server;

use std::ffi::OsString;

use server::environment::{BadSetting, Environment};
use server::settings::Settings;
use server::startup::Startup;

/// Everything that the environment decides, read before anything is bound.
pub fn prepare(variables: impl Fn(&str) -> Option<OsString> + 'static) -> Result<(Settings, Startup), BadSetting> {
    let mut startup = Startup::new(Environment::new(variables), routes::ABOUT);
    let settings = Settings::read(&mut startup.environment)?;
    routes::add_all(&mut startup)?;
    Ok((settings, startup))
}
