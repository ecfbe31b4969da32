use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures argo-rust beside its peers, all in one run on one machine.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    max_term_width = 100,
    after_help = "Exit code: 0 when all was measured, 1 when something failed, 64 for a wrong argument."
)]
pub struct Arguments {
    /// What to measure; all of it unless named
    #[arg(value_enum)]
    pub parts: Vec<Part>,
    /// How often each server has its turn
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// How long each measurement under load takes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Three rounds of a second: enough to see what a change does
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    pub quick: bool,
    /// Measure this build of the service and build none
    #[arg(long, value_name = "PATH")]
    pub service: Option<PathBuf>,
    /// Measure another build of the service beside it
    #[arg(long, value_name = "NAME=PATH", value_parser = named_path)]
    pub also: Vec<(String, PathBuf)>,
    /// Measure the service at this path too [default: those of bench/src/extras.rs]
    #[arg(long = "path", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Only print the tables again, from bench/results.json
    #[arg(long, conflicts_with = "parts")]
    pub render: bool,
    /// Write bench/results.json and .svg, and the tables in docs/performance.md and README.md
    #[arg(long)]
    pub write: bool,
    /// How the figures are printed
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// CPU for each request, rate, and latency at half of it
    Http,
    /// Resident memory: idle, after load, with 10,000 idle connections
    Memory,
    /// Exec to first answer, and the size of the program
    Start,
    /// The service within 200m and 64Mi, under a flood of its largest computation
    Quota,
    /// Instructions for each request, by callgrind
    Instructions,
    /// F(n) as text, beside libraries of big integers
    Fibonacci,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

impl Part {
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn named_path(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), PathBuf::from(path))),
        _ => Err("accepted is a name and the path of a program, such as before=/tmp/argo-rust".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_make_sense_to_clap() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn another_build_needs_a_name_and_a_path() {
        let check = |text: &str, accepted: bool| assert_eq!(named_path(text).is_ok(), accepted, "{text:?}");
        check("before=/tmp/argo-rust", true);
        check("before=", false);
        check("=/tmp/argo-rust", false);
        check("/tmp/argo-rust", false);
    }
}
