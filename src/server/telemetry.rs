use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::sync::Mutex;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Sends the logs to standard output, one line an event.
pub fn init(filter: &Targets, format: LogFormat, registry: &mut Registry) {
    let output = Output::default();
    registry.register("log_lines_dropped", "Log lines that standard output had no room for", output.dropped.clone());
    let lines = tracing_subscriber::fmt::layer().with_writer(Mutex::new(output));
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => {
            let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_target(false).with_ansi(colours).boxed()
        }
    };
    tracing_subscriber::registry().with(lines.with_filter(filter.clone())).init();
}

/// Standard output that nobody has to read: what it has no room for is dropped and counted, so that a log never holds
/// a request or the drain.
#[derive(Default)]
struct Output {
    dropped: Counter,
    /// The line before was dropped in its middle.
    is_cut: bool,
}

/// A pipe that is ready takes at least this much without waiting.
const PIPE_BUF: usize = 4_096;

impl Output {
    fn send(&mut self, text: &[u8]) -> io::Result<()> {
        let stdout = io::stdout();
        for piece in text.chunks(PIPE_BUF) {
            let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
            if poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            // Past the buffer of the standard library, which waits for whoever reads.
            let mut rest = piece;
            while !rest.is_empty() {
                rest = &rest[rustix::io::write(stdout.as_fd(), rest)?..];
            }
            self.is_cut = !piece.ends_with(b"\n");
        }
        Ok(())
    }
}

impl Write for Output {
    /// Takes a whole line, as the layer writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let ending = if self.is_cut { self.send(b"\n") } else { Ok(()) };
        if ending.and_then(|()| self.send(line)).is_err() {
            self.dropped.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A level, or a list of levels and of target=level. A word that is no level could only be meant as one.
pub fn filter(text: &str) -> Option<Targets> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let level = |word: &str| -> Option<LevelFilter> {
        LEVELS.iter().any(|known| known.eq_ignore_ascii_case(word)).then(|| word.parse().ok())?
    };
    let is_target = |text: &str| {
        let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | ':');
        !text.is_empty() && text.chars().all(is_part)
    };
    text.split(',').try_fold(Targets::new(), |targets, word| match word.trim().split_once('=') {
        None => Some(targets.with_default(level(word.trim())?)),
        Some((target, word)) if is_target(target) => Some(targets.with_target(target, level(word)?)),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_is_said_by_levels_and_no_other_word_is_taken_for_a_target() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(filter(text), expected.map(|same| same.parse().expect("what the library reads")), "{text:?}");
        };
        for level in ["off", "error", "warn", "info", "debug", "trace", "WARN"] {
            check(level, Some(level));
        }
        check("warn,argo_rust=debug", Some("warn,argo_rust=debug"));
        check("argo_rust::server=trace, info", Some("argo_rust::server=trace,info"));
        check("argo_rust=off", Some("argo_rust=off"));
        for refused in [
            "",
            " ",
            ",",
            "info,",
            "warning",
            "inof",
            "10s",
            "3",
            "🦀",
            "some_target",
            "some_target=",
            "=debug",
            "argo_rust=loud",
            "info;debug",
            "argo rust=debug",
            "🦀=debug",
            "argo_rust=debug=trace",
            "info debug",
        ] {
            check(refused, None);
        }
        check(&"x".repeat(65_536), None);
    }
}
