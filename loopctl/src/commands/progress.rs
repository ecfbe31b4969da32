//! What `up` and `down` show: a line for each thing done, and on a terminal what is being done.

use std::io::{IsTerminal, Write, stdout};
use std::sync::Mutex;
use std::time::Duration;

pub struct Progress {
    /// What is shown at the bottom of the terminal; empty where there is none.
    now: Mutex<String>,
    terminal: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self { now: Mutex::default(), terminal: stdout().is_terminal() }
    }

    /// Something is over, and took that long.
    pub fn done(&self, took: Duration, name: &str, text: &str) {
        self.print(&format!("{:>8}  {name:<24} {text}\n", seconds(took)), None);
    }

    /// Something long has begun. Where nobody watches, the line that it ends with is enough.
    pub fn now(&self, text: &str) {
        self.print("", Some(text));
    }

    /// One write at a time, so that lines of several threads stay whole.
    fn print(&self, line: &str, now: Option<&str>) {
        let Ok(mut shown) = self.now.lock() else { return };
        if let Some(now) = now {
            now.clone_into(&mut shown);
        }
        let text = if self.terminal { format!("\r\u{1b}[K{line}{:.100}", shown.as_str()) } else { line.to_owned() };
        let mut out = stdout().lock();
        // Whoever closes the output early, like `head`, wants to see no more.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// As `println!`, which would end the program with a trace when the output is closed early.
pub fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
