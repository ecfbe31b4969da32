//! How an answer is shown: as text for a person, or as JSON whose shape docs/loopctl.md documents.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::text::plain::{json, painted};

/// What a command found out. Fields of its JSON may be added, but are never renamed or removed.
pub trait Answer: Serialize {
    /// Lines for a terminal, coloured with [`style`]; colours are taken out where they do not belong.
    fn text(&self) -> String;
}

#[derive(Args, Clone, Copy)]
pub struct Output {
    /// How the answer is shown
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t = Format::Text, env = "LOOPCTL_OUTPUT")]
    #[arg(hide_env_values = true)]
    pub output: Format,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person
    Text,
    /// For a program; progress goes to standard error
    Json,
}

impl Output {
    pub fn print(self, answer: &impl Answer) -> Result<()> {
        let text = match self.output {
            Format::Text => painted(&answer.text()).into_owned(),
            Format::Json => {
                let text = serde_json::to_string_pretty(answer).context("the answer cannot be written as JSON")?;
                json(&text).into_owned()
            }
        };
        // Whoever closes the output early, like `head`, wants to see no more.
        let _ = writeln!(anstream::stdout(), "{}", text.trim_end());
        Ok(())
    }

    pub fn is_json(self) -> bool {
        self.output == Format::Json
    }
}

/// As `println!`, which would end the program with a trace when the output is closed early.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Steps for a person to take, in their order.
pub fn numbered(steps: &[String]) -> String {
    let lines: Vec<String> = steps.iter().enumerate().map(|(at, step)| format!("  {}. {step}", at + 1)).collect();
    lines.join("\n")
}

/// The colours: green is done, yellow under way, red wrong, dim what matters less.
pub mod style {
    use anstyle::{AnsiColor, Style};

    pub const GOOD: Style = AnsiColor::Green.on_default();
    pub const BUSY: Style = AnsiColor::Yellow.on_default();
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    pub const DIM: Style = Style::new().dimmed();
    pub const BOLD: Style = Style::new().bold();

    pub fn paint(style: Style, text: &str) -> String {
        format!("{style}{text}{style:#}")
    }
}
