use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use humantime::format_duration;
use tracing_subscriber::filter::Targets;

use super::environment::{BadSetting, Environment, Setting, time, whole_number};
use super::telemetry::{self, LogFormat};

/// What every service is set up with. Every field is one of the settings below.
#[derive(Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    pub metrics_listen: SocketAddr,
    pub max_connections: usize,
    pub header_timeout: Duration,
    pub drain_delay: Duration,
    pub drain_deadline: Duration,
    pub log: Targets,
    pub log_format: LogFormat,
}

pub const LISTEN: Setting<SocketAddr> = Setting {
    name: "ARGO_RUST_LISTEN",
    default: "[::]:8080",
    accepts: "an IP address and a port, such as [::]:8080, which is IPv4 too, or 127.0.0.1:8080",
    purpose: "where the API listens",
    parse: |text| text.parse().ok(),
};
pub const METRICS_LISTEN: Setting<SocketAddr> = Setting {
    name: "ARGO_RUST_METRICS_LISTEN",
    default: "[::]:9090",
    accepts: "an IP address and a port, such as [::]:9090, which is IPv4 too, or 127.0.0.1:9090",
    purpose: "where Prometheus reads /metrics",
    parse: |text| text.parse().ok(),
};
pub const MAX_CONNECTIONS: Setting<u64> = Setting {
    name: "ARGO_RUST_MAX_CONNECTIONS",
    default: "10000",
    accepts: "a whole number from 1 to 1000000",
    purpose: "connections open at once; beyond it those that ask for nothing make room for new ones",
    parse: |text| whole_number(text, 1, 1_000_000),
};
pub const HEADER_TIMEOUT: Setting<Duration> = Setting {
    name: "ARGO_RUST_HEADER_TIMEOUT",
    default: "10s",
    accepts: "a time from 1ms to 1h, such as 10s or 500ms",
    purpose: "a connection without a finished request head, or without progress of an answer, is closed after this",
    parse: |text| time(text, Duration::from_millis(1)),
};
pub const DRAIN_DELAY: Setting<Duration> = Setting {
    name: "ARGO_RUST_DRAIN_DELAY",
    default: "5s",
    accepts: "a time from 0s to 1h, such as 5s, not longer than ARGO_RUST_DRAIN_DEADLINE",
    purpose: "how long after SIGTERM new connections are still accepted",
    parse: |text| time(text, Duration::ZERO),
};
pub const DRAIN_DEADLINE: Setting<Duration> = Setting {
    name: "ARGO_RUST_DRAIN_DEADLINE",
    default: "20s",
    accepts: "a time from 0s to 1h, such as 20s, not shorter than ARGO_RUST_DRAIN_DELAY",
    purpose: "how long after the signal the process has ended, whatever is still in flight",
    parse: |text| time(text, Duration::ZERO),
};
pub const LOG: Setting<Targets> = Setting {
    name: "ARGO_RUST_LOG",
    default: "info",
    accepts: "a level (off, error, warn, info, debug, trace) or a list of target=level, such as warn,argo_rust=debug",
    purpose: "what is logged",
    parse: telemetry::filter,
};
pub const LOG_FORMAT: Setting<LogFormat> = Setting {
    name: "ARGO_RUST_LOG_FORMAT",
    default: "text on a terminal, json else",
    accepts: "text or json",
    purpose: "how a log line looks",
    parse: |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    },
};

impl Settings {
    pub fn read(environment: &mut Environment) -> Result<Self, BadSetting> {
        let settings = Self {
            listen: environment.read(&LISTEN)?,
            metrics_listen: environment.read(&METRICS_LISTEN)?,
            max_connections: environment.read(&MAX_CONNECTIONS)? as usize,
            header_timeout: environment.read(&HEADER_TIMEOUT)?,
            drain_delay: environment.read(&DRAIN_DELAY)?,
            drain_deadline: environment.read(&DRAIN_DEADLINE)?,
            log: environment.read(&LOG)?,
            log_format: environment.read_if_set(&LOG_FORMAT)?.unwrap_or_else(format_of_this_output),
        };
        settings.drain_fits()?;
        Ok(settings)
    }

    fn drain_fits(&self) -> Result<(), BadSetting> {
        if self.drain_delay <= self.drain_deadline {
            return Ok(());
        }
        let said = |setting: &Setting<Duration>, value| {
            let is_default = (setting.parse)(setting.default) == Some(value);
            format!("{} ({}{})", setting.name, format_duration(value), if is_default { ", the default" } else { "" })
        };
        Err(BadSetting::Contradiction(format!(
            "{} is longer than {}; accepted is a delay up to the deadline: set a shorter delay or a longer deadline",
            said(&DRAIN_DELAY, self.drain_delay),
            said(&DRAIN_DEADLINE, self.drain_deadline)
        )))
    }
}

fn format_of_this_output() -> LogFormat {
    if std::io::stdout().is_terminal() { LogFormat::Text } else { LogFormat::Json }
}
