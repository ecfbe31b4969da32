//! The table at the end: proof, result, seconds, what was measured, what the control did.

use std::env;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use e2e::report::Report;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Skipped,
}

#[derive(Clone)]
pub struct Row {
    pub name: &'static str,
    pub verdict: Verdict,
    pub took: Duration,
    pub report: Report,
}

/// For `.ci/run`, which says in the end where its time went.
pub fn note(part: &str, took: Duration) {
    let Some(file) = env::var_os("CI_TIMES") else { return };
    let line = format!("part\t{:.1}\t{}\n", took.as_secs_f64(), part.replace('_', " "));
    // A figure that could not be noted is no reason to fail a proof.
    let _ = OpenOptions::new().append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes()));
}

pub fn of(rows: &[Row]) -> String {
    let mut text = String::from("\nproof\n");
    for row in rows {
        let word = match row.verdict {
            Verdict::Passed => "passed ",
            Verdict::Failed => "FAILED ",
            Verdict::Skipped => "skipped",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{word} {:>6.1} s  {}", row.took.as_secs_f64(), row.name.replace('_', " "));
        let report = &row.report;
        for (label, lines) in [("", &report.measured), ("control: ", &report.controls), ("skipped: ", &report.skipped)]
        {
            for line in lines.iter().flat_map(|line| line.lines()) {
                let _ = writeln!(text, "{:19}{label}{line}", "");
            }
        }
    }
    text
}
