use super::number;
use crate::extras;
use crate::results::{Figure, Results};

const SERVICE: &str = "argo-rust";

/// What the service is to reach, and how the figures tell.
struct Goal {
    text: &'static str,
    /// The most that is accepted.
    most: f64,
    measured: fn(&Results) -> Option<f64>,
}

const GOALS: [Goal; 15] = [
    Goal { text: "CPU for the probe, × epoll", most: 1.15, measured: |all| epoll(cpu(all, SERVICE, 32)?) },
    Goal { text: "CPU for the probe, × nginx", most: 1.00, measured: |all| nginx(cpu(all, SERVICE, 32)?) },
    Goal {
        text: "CPU for a small computation, × the probe's",
        most: 1.05,
        measured: |all| Some(epoll(cpu(all, &small_computation(), 32)?)? / epoll(cpu(all, SERVICE, 32)?)?),
    },
    Goal {
        text: "growth of CPU for the probe from 32 to 1,000 connections, × epoll's",
        most: 1.05,
        measured: |all| Some(epoll(cpu(all, SERVICE, 1000)?)? / epoll(cpu(all, SERVICE, 32)?)?),
    },
    Goal { text: "p99 at half load, × nginx", most: 1.00, measured: |all| nginx(all.figure("http", SERVICE, "p99")?) },
    Goal { text: "exec to first answer, ms", most: 5.0, measured: |all| median(all, "start", "exec to first answer") },
    Goal { text: "idle memory, MB", most: 5.0, measured: |all| median(all, "memory", "idle") },
    Goal {
        text: "memory with 10,000 idle connections, MB",
        most: 80.0,
        measured: |all| median(all, "memory", "10,000 idle connections"),
    },
    Goal { text: "program, KB", most: 1500.0, measured: |all| median(all, "start", "program") },
    Goal {
        text: "bytes that a node pulls after a change of code, KB",
        most: 700.0,
        measured: |all| median(all, "start", "program, zstd -9"),
    },
    Goal {
        text: "probe p99 in 200m under a flood of the largest n, ms",
        most: 100.0,
        measured: |all| median(all, "quota", "probe p99"),
    },
    Goal {
        text: "probes that fail meanwhile",
        most: 0.0,
        measured: |all| Some(all.figure("quota", SERVICE, "failed probes")?.spread.max),
    },
    Goal {
        text: "memory peak in 64Mi meanwhile, MB",
        most: 64.0 * 1.048_576,
        measured: |all| Some(all.figure("quota", SERVICE, "memory peak")?.spread.max),
    },
    Goal { text: "F(1,000,000), × GMP", most: 0.33, measured: |all| fibonacci_ratio(all, "F(1,000,000)", &["GMP"]) },
    Goal {
        text: "F(n) at its worst n, × the best of dashu, num-bigint, malachite",
        most: 1.00,
        measured: worst_fibonacci,
    },
];

/// Goals beside what was measured; empty before anything was.
pub fn table(results: &Results) -> String {
    let rows: String = GOALS
        .iter()
        .filter_map(|goal| {
            let measured = (goal.measured)(results)?;
            let verdict = if measured <= goal.most { "yes" } else { "**no**" };
            Some(format!("| {} | ≤ {} | {} | {verdict} |\n", goal.text, number(goal.most), number(measured)))
        })
        .collect();
    if rows.is_empty() {
        return rows;
    }
    format!("### Goals\n\n| Goal | at most | measured | met |\n|---|---|---|---|\n{rows}")
}

/// The service where it computes a little, as the part http names it.
fn small_computation() -> String {
    format!("{SERVICE} {}", extras::PATHS[0])
}

fn cpu<'a>(results: &'a Results, of: &str, connections: usize) -> Option<&'a Figure> {
    results.figure("http", of, &format!("CPU, {connections} connections"))
}

fn epoll(figure: &Figure) -> Option<f64> {
    Some(figure.to_epoll?.median)
}

fn nginx(figure: &Figure) -> Option<f64> {
    Some(figure.to_nginx?.median)
}

fn median(results: &Results, part: &str, measure: &str) -> Option<f64> {
    Some(results.figure(part, SERVICE, measure)?.spread.median)
}

/// The service's time as a multiple of the fastest of these.
fn fibonacci_ratio(results: &Results, measure: &str, others: &[&str]) -> Option<f64> {
    let median = |of: &str| Some(results.figure("fibonacci", of, measure)?.spread.median);
    Some(median(SERVICE)? / others.iter().filter_map(|other| median(other)).reduce(f64::min)?)
}

fn worst_fibonacci(results: &Results) -> Option<f64> {
    let figures = &results.parts.get("fibonacci")?.figures;
    let sizes = figures.iter().filter(|figure| figure.of == SERVICE);
    let ratios =
        sizes.filter_map(|figure| fibonacci_ratio(results, &figure.measure, &["dashu-int", "num-bigint", "malachite"]));
    ratios.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::results::{Measured, Samples};

    #[test]
    fn a_goal_is_met_missed_or_left_out_by_its_figure() {
        let mut samples = Samples::default();
        samples.add(SERVICE, "exec to first answer", "ms", 5.0);
        samples.add(SERVICE, "program", "KB", 1501.0);
        let (machine, figures) = (Machine::default(), samples.figures());
        let start = Measured { machine, rounds: 1, figures, notes: Vec::new() };
        let results = Results { parts: [("start".to_owned(), start)].into() };
        insta::assert_snapshot!("goals", table(&results));
        assert_eq!(table(&Results::default()), "");
    }
}
