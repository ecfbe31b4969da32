//! The table at the end: proof, result, seconds, what was measured, what the control did.

use std::fmt::Write;
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
