use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use tracing_subscriber::filter::Targets;

use crate::fibonacci::arithmetic;
use crate::server::build_info;

/// What the service runs with. Every field is one of the settings below.
#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub metrics_listen: SocketAddr,
    pub fibonacci_max: u64,
    pub max_connections: usize,
    pub header_timeout: Duration,
    pub drain_delay: Duration,
    pub drain_deadline: Duration,
    pub log: Targets,
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting as the user meets it: in the environment, in `--help`, in an error.
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    accepts: &'static str,
    purpose: &'static str,
}

pub const LISTEN: Setting = Setting {
    name: "ARGO_RUST_LISTEN",
    default: "0.0.0.0:8080",
    accepts: "an IP address and a port, such as 0.0.0.0:8080 or [::1]:8080",
    purpose: "where the API listens",
};
pub const METRICS_LISTEN: Setting = Setting {
    name: "ARGO_RUST_METRICS_LISTEN",
    default: "0.0.0.0:9090",
    accepts: "an IP address and a port, such as 0.0.0.0:9090 or 127.0.0.1:9090",
    purpose: "where Prometheus reads /metrics",
};
pub const FIBONACCI_MAX: Setting = Setting {
    name: "ARGO_RUST_FIBONACCI_MAX",
    default: "10000000",
    // The arithmetic is proven up to here, and a pod's limits serve it within a second.
    accepts: "a whole number from 0 to 10000000",
    purpose: "the largest n that /fibonacci/{n} computes",
};
pub const MAX_CONNECTIONS: Setting = Setting {
    name: "ARGO_RUST_MAX_CONNECTIONS",
    default: "10000",
    accepts: "a whole number from 1 to 1000000",
    purpose: "connections open at once; beyond it those that ask for nothing make room for new ones",
};
pub const HEADER_TIMEOUT: Setting = Setting {
    name: "ARGO_RUST_HEADER_TIMEOUT",
    default: "10s",
    accepts: "a time from 1ms to 1h, such as 10s or 500ms",
    purpose: "a connection without a finished request head, or without progress of an answer, is closed after this",
};
pub const DRAIN_DELAY: Setting = Setting {
    name: "ARGO_RUST_DRAIN_DELAY",
    default: "5s",
    accepts: "a time from 0s to 1h, such as 5s, not longer than ARGO_RUST_DRAIN_DEADLINE",
    purpose: "how long after SIGTERM new connections are still accepted",
};
pub const DRAIN_DEADLINE: Setting = Setting {
    name: "ARGO_RUST_DRAIN_DEADLINE",
    default: "20s",
    accepts: "a time from 0s to 1h, such as 20s",
    purpose: "how long after the signal the process has ended, whatever is still in flight",
};
pub const LOG: Setting = Setting {
    name: "ARGO_RUST_LOG",
    default: "info",
    accepts: "a level (off, error, warn, info, debug, trace) or a list of target=level, such as warn,argo_rust=debug",
    purpose: "what is logged",
};
pub const LOG_FORMAT: Setting = Setting {
    name: "ARGO_RUST_LOG_FORMAT",
    default: "text on a terminal, json else",
    accepts: "text or json",
    purpose: "how a log line looks",
};

const SETTINGS: [&Setting; 9] = [
    &LISTEN,
    &METRICS_LISTEN,
    &FIBONACCI_MAX,
    &MAX_CONNECTIONS,
    &HEADER_TIMEOUT,
    &DRAIN_DELAY,
    &DRAIN_DEADLINE,
    &LOG,
    &LOG_FORMAT,
];

/// What the command line and the environment ask for.
#[derive(Debug)]
pub enum Command {
    Serve(Config),
    Print(String),
}

/// Why the service does not start; the text tells what would be accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{name}={value:?} is not valid; accepted is {accepts}")]
    BadValue { name: &'static str, value: String, accepts: &'static str },
    #[error("{0}; settings come from the environment, see argo-rust --help")]
    BadArgument(#[from] lexopt::Error),
}

/// Reads the whole configuration without touching the network, so that a mistake binds no port.
pub fn read(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, ConfigError> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    match parser.next()? {
        None => Ok(Command::Serve(Config::from_environment(environment)?)),
        Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help")) => Ok(Command::Print(help())),
        Some(lexopt::Arg::Short('V') | lexopt::Arg::Long("version")) => Ok(Command::Print(version())),
        Some(other) => Err(other.unexpected().into()),
    }
}

impl Config {
    fn from_environment(environment: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let text = |setting: &Setting| environment(setting.name).map(|value| value.to_string_lossy().into_owned());
        let text_or_default = |setting: &Setting| text(setting).unwrap_or_else(|| setting.default.to_owned());

        let drain_deadline = setting(&DRAIN_DEADLINE, &text_or_default(&DRAIN_DEADLINE), duration(0))?;
        Ok(Self {
            listen: setting(&LISTEN, &text_or_default(&LISTEN), |text| text.parse().ok())?,
            metrics_listen: setting(&METRICS_LISTEN, &text_or_default(&METRICS_LISTEN), |text| text.parse().ok())?,
            fibonacci_max: setting(
                &FIBONACCI_MAX,
                &text_or_default(&FIBONACCI_MAX),
                whole_number(0, arithmetic::LARGEST),
            )?,
            max_connections: setting(&MAX_CONNECTIONS, &text_or_default(&MAX_CONNECTIONS), whole_number(1, 1_000_000))?
                as usize,
            header_timeout: setting(&HEADER_TIMEOUT, &text_or_default(&HEADER_TIMEOUT), duration(1))?,
            drain_delay: setting(&DRAIN_DELAY, &text_or_default(&DRAIN_DELAY), |text| {
                duration(0)(text).filter(|delay| *delay <= drain_deadline)
            })?,
            drain_deadline,
            log: setting(&LOG, &text_or_default(&LOG), |text| text.parse().ok())?,
            log_format: match text(&LOG_FORMAT) {
                Some(value) => setting(&LOG_FORMAT, &value, log_format)?,
                None if std::io::stdout().is_terminal() => LogFormat::Text,
                None => LogFormat::Json,
            },
        })
    }
}

fn setting<T>(setting: &Setting, value: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
    parse(value).ok_or_else(|| ConfigError::BadValue {
        name: setting.name,
        value: value.to_owned(),
        accepts: setting.accepts,
    })
}

fn whole_number(least: u64, most: u64) -> impl Fn(&str) -> Option<u64> {
    move |text| text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn duration(least_milliseconds: u64) -> impl Fn(&str) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(3600);
    move |text| {
        let accepted = Duration::from_millis(least_milliseconds)..=MOST;
        humantime::parse_duration(text).ok().filter(|duration| accepted.contains(duration))
    }
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn help() -> String {
    let mut text = String::from(
        "Serves GET /hello, /fibonacci/{n}, /version and /openapi.json.\n\n\
         Usage: argo-rust [--help | --version]\n\n\
         Settings come from the environment:\n",
    );
    for Setting { name, default, accepts, purpose } in SETTINGS {
        let _ = write!(text, "\n  {name}  [default: {default}]\n      {purpose}\n      accepts {accepts}\n");
    }
    text.push_str(
        "\nSIGTERM starts the drain: answers say `Connection: close`, after the delay no connection is\n\
         accepted any more, what is in flight is finished, exit code 0. SIGINT skips the delay.\n\
         Exit code 64: a setting is not valid. Exit code 1: a port could not be bound.\n",
    );
    text
}

fn version() -> String {
    format!("argo-rust {} ({})\n", build_info::VERSION, build_info::REVISION.unwrap_or("no revision"))
}
