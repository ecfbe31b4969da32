//! The start-up order: settings, logs, signals, ports, service, drain.

use std::process::ExitCode;

use argo_rust::config::{self, Command, Config};
use argo_rust::fibonacci::calculator::Calculator;
use argo_rust::fibonacci::metrics::FibonacciMetrics;
use argo_rust::router;
use argo_rust::server::{build_info, listener, metrics, serve, shutdown, telemetry};

/// `EX_USAGE` of sysexits.h: the caller has to change a setting, a restart alone cannot help.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let config = match config::read(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(Command::Serve(config)) => config,
        Ok(Command::Print(text)) => {
            print(&text);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("argo-rust: {error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    telemetry::init(&config.log, config.log_format);

    // One core needs no workers beside this thread, which would only take it from each other. A CPU limit below two
    // cores counts as one. What takes long runs off these threads in any case.
    let mut runtime = match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(config)).map_err(|error| error.to_string());
            // A computation that outlived the drain deadline must not hold the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(format!("cannot start the async runtime: {error}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), listener::BindError> {
    let signals = shutdown::Signals::install();
    let max_connections = listener::allow_open_files(config.max_connections);
    let api_listener = listener::bind(config.listen, config::LISTEN.name)?;
    let metrics_listener = listener::bind(config.metrics_listen, config::METRICS_LISTEN.name)?;

    let mut metrics = metrics::Metrics::new(router::paths());
    let calculator = Calculator::new(config.fibonacci_max, FibonacciMetrics::registered_in(&mut metrics.registry));
    let api = serve::Api { router: router::app(calculator), metrics: Some(metrics.http.clone()) };
    let (drain, drain_watch) = shutdown::drain();
    let limits = serve::Limits { max_connections, header_timeout: config.header_timeout };
    let serving = tokio::spawn(serve::serve(api_listener, api, limits, drain_watch, metrics.connections_open.clone()));
    tokio::spawn(serve::serve_metrics(metrics_listener, metrics.router(), config.header_timeout));
    tracing::info!(
        version = build_info::VERSION,
        revision = build_info::REVISION.unwrap_or("none"),
        "argo-rust {} is ready",
        build_info::VERSION
    );

    shutdown::drain_on_signal(signals, drain, serving, config.drain_delay, config.drain_deadline).await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "--help and --version are what the user asked to see")]
fn print(text: &str) {
    print!("{text}");
}
