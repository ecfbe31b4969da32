use std::io::{self, IsTerminal as _};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Sends the logs to standard output, one line an event.
pub fn init(filter: &Targets, format: LogFormat) {
    let lines = tracing_subscriber::fmt::layer();
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => {
            let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_target(false).with_ansi(colours).boxed()
        }
    };
    tracing_subscriber::registry().with(lines.with_filter(filter.clone())).init();
}
