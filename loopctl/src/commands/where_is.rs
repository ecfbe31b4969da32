//! `loopctl where [COMMIT]`: is my commit live?

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use delivery::access::NoAccess;
use delivery::watcher::LOOK;
use unicode_width::UnicodeWidthChar;

use crate::exit::Exit;
use crate::output::{Answer as _, Output};
use crate::target::{At, Target, block_on};
use crate::text::journey::{Changes, end};
use delivery::Delivery;
use delivery::journey::answer::{Answer, State};

/// Say where a commit is on its way to the pods, and what keeps it from going on
///
/// Each hop from the push to the answering service, with its time and how long it took since the hop before.
/// What cannot be seen from here is said and never guessed. Nothing is changed, in the cluster or in the clone.
///
/// The exit code is 0 for whatever answer there is; `loopctl wait` has one for each.
#[derive(Args)]
pub struct Options {
    /// The source commit, in any way that git understands
    #[arg(default_value = "HEAD")]
    commit: String,
    /// Show it live until the journey has ended
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    block_on(async {
        let delivery = Delivery::find(&options.target.choice_at(&options.at)).await?;
        let commit = delivery.commit(&options.commit).await?;
        let answer = if options.watch {
            let mut screen = Screen::new(options.output);
            delivery.follow(&commit, None, |answer| screen.show(answer)).await?.0
        } else {
            delivery.follow(&commit, Some(Duration::ZERO), |answer| options.output.print(answer)).await?.0
        };
        let Some(answer) = answer else {
            bail!(NoAccess(format!("no complete answer within {} s; is the cluster overloaded?", LOOK.as_secs())))
        };
        let exit = if answer.state == State::Unknown { Exit::NoAccess } else { Exit::Done };
        Ok(exit.into())
    })
}

/// On a terminal one answer that changes in its place; elsewhere a line for each change, or a JSON object for each.
struct Screen {
    output: Output,
    terminal: bool,
    changes: Changes,
    /// How many lines of the last answer are on the screen.
    drawn: usize,
    last: Option<Answer>,
}

impl Screen {
    fn new(output: Output) -> Self {
        let terminal = std::io::stdout().is_terminal() && !output.is_json();
        Self { output, terminal, changes: Changes::default(), drawn: 0, last: None }
    }

    fn show(&mut self, answer: &Answer) -> Result<()> {
        if self.last.as_ref() == Some(answer) {
            return Ok(());
        }
        self.last = Some(answer.clone());
        if self.output.is_json() {
            return self.output.print(answer);
        }
        let mut out = anstream::stdout().lock();
        if self.terminal {
            let text = answer.text();
            if self.drawn > 0 {
                write!(out, "\u{1b}[{}A\u{1b}[J", self.drawn)?;
            }
            writeln!(out, "{text}")?;
            self.drawn = lines_on_screen(&text, terminal_width());
        } else {
            for line in self.changes.lines(answer) {
                writeln!(out, "{line}")?;
            }
            if answer.state.is_end() {
                writeln!(out, "{}", end(answer))?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

/// A long line takes several; colours take none.
fn lines_on_screen(text: &str, width: usize) -> usize {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.lines().map(|line| rows(line, width)).sum()
}

/// A character that needs two columns goes to the next row where one is left.
fn rows(line: &str, width: usize) -> usize {
    let (mut rows, mut column) = (1, 0);
    for columns in line.chars().filter_map(UnicodeWidthChar::width) {
        if column + columns > width {
            (rows, column) = (rows + 1, 0);
        }
        column += columns;
    }
    rows
}

fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| size.ws_col.into())
        .filter(|width| *width > 0)
        .unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::style::{GOOD, paint};

    #[test]
    fn a_line_takes_as_many_rows_as_its_columns_need() {
        for (text, expected) in [
            ("", 0),
            ("short", 1),
            ("0123456789", 1),
            ("0123456789a", 2),
            ("one\n\ntwo", 3),
            // Two columns each.
            ("漢字漢字漢", 1),
            ("漢字漢字漢字", 2),
            ("a漢字漢字漢", 2),
            ("a漢字漢字漢字漢字漢字", 3),
            // An accent of its own takes none.
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", 1),
        ] {
            assert_eq!(lines_on_screen(text, 10), expected, "{text}");
        }
        assert_eq!(lines_on_screen(&paint(GOOD, "0123456789"), 10), 1);
    }
}
