//! The start-up order: settings, table of contents, logs, signals, ports, service, drain.

use std::fmt::Display;
use std::process::ExitCode;

use argo_rust::prepare;
use argo_rust::server::command_line::{self, Command, UsageError};
use argo_rust::server::metrics::Metrics;
use argo_rust::server::settings::{self, Settings};
use argo_rust::server::startup::Startup;
use argo_rust::server::{build_info, listener, serve, shutdown, telemetry};

/// `EX_USAGE` of sysexits.h: the caller has to change a setting, a restart alone cannot help.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    match command_line::read(std::env::args_os()) {
        Ok(Command::Serve) => {}
        Ok(Command::Help) => return print(help()),
        Ok(Command::Version) => return print(Ok(command_line::version())),
        Err(error) => return fail(error, ExitCode::from(EXIT_USAGE)),
    }
    let (settings, mut startup) = match prepare(|name| std::env::var_os(name)) {
        Ok(prepared) => prepared,
        Err(error) => return fail(error, ExitCode::from(EXIT_USAGE)),
    };
    telemetry::init(&settings.log, settings.log_format, &mut startup.registry);

    // One core needs no workers beside this thread, which would only take it from each other. A CPU limit below two
    // cores counts as one. What takes long runs off these threads in any case.
    let mut runtime = match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format!("cannot start the async runtime: {error}"), ExitCode::FAILURE),
    };
    let outcome = runtime.block_on(run(settings, startup));
    // A computation that outlived the drain deadline must not hold the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error, ExitCode::FAILURE),
    }
}

async fn run(settings: Settings, startup: Startup) -> Result<(), listener::BindError> {
    let signals = shutdown::Signals::install();
    let max_connections = listener::allow_open_files(settings.max_connections);
    let api_listener = listener::bind(settings.listen, settings::LISTEN.name)?;
    let metrics_listener = listener::bind(settings.metrics_listen, settings::METRICS_LISTEN.name)?;

    let (router, contents, registry) = startup.finish();
    let metrics = Metrics::new(registry, &contents.paths);
    let api = serve::Api { router, metrics: Some(metrics.http.clone()) };
    let (drain, drain_watch) = shutdown::drain();
    let limits = serve::Limits { max_connections, header_timeout: settings.header_timeout };
    let serving = tokio::spawn(serve::serve(api_listener, api, limits, drain_watch, metrics.connections_open.clone()));
    tokio::spawn(serve::serve_metrics(metrics_listener, metrics.router(), settings.header_timeout));
    tracing::info!(
        version = build_info::VERSION,
        revision = build_info::REVISION.unwrap_or("none"),
        "argo-rust {} is ready",
        build_info::VERSION
    );

    shutdown::drain_on_signal(signals, drain, serving, settings.drain_delay, settings.drain_deadline).await;
    Ok(())
}

fn help() -> Result<String, UsageError> {
    let (_, startup) = prepare(|_| None)?;
    let settings = startup.environment.descriptions().to_owned();
    Ok(command_line::help(&startup.finish().1.listed(), &settings))
}

#[expect(clippy::print_stdout, reason = "--help and --version are what the user asked to see")]
fn print(text: Result<String, UsageError>) -> ExitCode {
    match text {
        Ok(text) => print!("{text}"),
        Err(error) => return fail(error, ExitCode::from(EXIT_USAGE)),
    }
    ExitCode::SUCCESS
}

/// Always on standard error, whatever is logged: who started the process sees why it has ended.
fn fail(error: impl Display, code: ExitCode) -> ExitCode {
    eprintln!("argo-rust: {error}");
    code
}
