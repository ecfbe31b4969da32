//! What `up` and `down` show: a line for each thing done, and what is being done.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stdout};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where nobody watches a terminal, what is being done is told as often as this.
const SO_FAR: Duration = Duration::from_secs(30);

pub struct Progress {
    begin: Instant,
    terminal: bool,
    shown: Mutex<Shown>,
}

struct Shown {
    /// What is being done, each under the name of who does it.
    now: BTreeMap<&'static str, String>,
    last: Instant,
}

impl Progress {
    pub fn new() -> Self {
        let shown = Shown { now: BTreeMap::new(), last: Instant::now() };
        Self { begin: Instant::now(), terminal: stdout().is_terminal(), shown: Mutex::new(shown) }
    }

    /// Something is over, and took that long.
    pub fn done(&self, took: Duration, name: &str, text: &str) {
        self.print(&line(took, name, text));
    }

    /// What `who` does now; nothing any more when the text is empty.
    pub fn now(&self, who: &'static str, text: &str) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if text.is_empty() {
            shown.now.remove(who);
        } else {
            shown.now.insert(who, text.to_owned());
        }
        let due = !self.terminal && !text.is_empty() && shown.last.elapsed() > SO_FAR;
        let so_far = due.then(|| line(self.begin.elapsed(), "so far", &shown.text()));
        drop(shown);
        if self.terminal || due {
            self.print(&so_far.unwrap_or_default());
        }
    }

    /// One write at a time, so that lines of several threads stay whole.
    fn print(&self, line: &str) {
        let Ok(mut shown) = self.shown.lock() else { return };
        shown.last = Instant::now();
        let text =
            if self.terminal { format!("\r\u{1b}[K{line}{:>10}{:.100}", "", shown.text()) } else { line.to_owned() };
        let mut out = stdout().lock();
        // Whoever closes the output early, like `head`, wants to see no more.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl Shown {
    fn text(&self) -> String {
        self.now.values().map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}

fn line(took: Duration, name: &str, text: &str) -> String {
    format!("{:>8}  {name:<24} {text}\n", seconds(took))
}

pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
