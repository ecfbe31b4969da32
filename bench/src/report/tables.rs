use crate::machine::Machine;
use crate::results::{Figure, Measured, Results};

/// What a cell shows of its figure.
#[derive(Clone, Copy)]
enum Shown {
    Median,
    MedianAndSpread,
    RatioToEpollAndNginx,
}

/// Heading and measure of each column.
type Columns<'a> = &'a [(&'a str, &'a str)];

/// All tables of what has been measured, in the order of the parts.
pub fn all(results: &Results) -> String {
    const CPU: Columns = &[
        ("32 connections", "CPU, 32 connections"),
        ("256", "CPU, 256 connections"),
        ("1,000", "CPU, 1000 connections"),
        ("a fresh one each", "CPU, fresh connections"),
    ];
    const RATE: Columns = &[
        ("32 connections", "rate, 32 connections"),
        ("256", "rate, 256 connections"),
        ("1,000", "rate, 1000 connections"),
        ("a fresh one each", "rate, fresh connections"),
    ];
    const DELAY: &str = "client's own delay, p99";
    const LATENCY: Columns = &[("p50", "p50"), ("p99", "p99"), ("p99.9", "p99.9"), (DELAY, DELAY)];
    let mut text = String::new();
    if let Some(http) = results.parts.get("http") {
        text += &heading("CPU of the server for each request", "µs, user and system", http);
        text += &table(http, CPU, Shown::MedianAndSpread);
        text += "The same as multiples of epoll's / nginx's, the median of the ratios within each round:\n\n";
        text += &table(http, CPU, Shown::RatioToEpollAndNginx);
        text += &notes(http);
        text += &heading("Rate with one core for the load", "requests a second", http);
        text += &table(http, RATE, Shown::MedianAndSpread);
        text += &heading("Latency at half of its own rate with 32 connections", "µs", http);
        text += &table(http, LATENCY, Shown::MedianAndSpread);
    }
    for (part, title, what) in [
        ("instructions", "Instructions in user space for each request", "callgrind"),
        ("memory", "Resident memory", "MB"),
        ("start", "Start and size", "ms and KB"),
        ("quota", "Within a pod's limits of 200m and 64Mi, under a flood of the largest n", "ms, MB"),
        ("fibonacci", "F(n) as finished text", "µs, computed and printed"),
    ] {
        if let Some(measured) = results.parts.get(part) {
            text += &heading(title, what, measured);
            let mut measures: Vec<(&str, &str)> = Vec::new();
            for figure in &measured.figures {
                if !measures.iter().any(|(measure, _)| *measure == figure.measure) {
                    measures.push((&figure.measure, &figure.measure));
                }
            }
            text += &table(measured, &measures, Shown::MedianAndSpread);
            text += &notes(measured);
        }
    }
    text
}

/// The few columns that README has room for; None before the part http was measured.
pub fn summary(results: &Results) -> Option<String> {
    const COLUMNS: [(&str, &str, &str, Shown); 7] = [
        ("CPU a request, µs", "http", "CPU, 32 connections", Shown::Median),
        ("× epoll / nginx", "http", "CPU, 32 connections", Shown::RatioToEpollAndNginx),
        ("requests/s", "http", "rate, 32 connections", Shown::Median),
        ("p99 at half load, µs", "http", "p99", Shown::Median),
        ("idle, MB", "memory", "idle", Shown::Median),
        ("10,000 idle connections, MB", "memory", "10,000 idle connections", Shown::Median),
        ("first answer, ms", "start", "exec to first answer", Shown::Median),
    ];
    let http = results.parts.get("http")?;
    let headings: Vec<&str> = COLUMNS.iter().map(|(heading, ..)| *heading).collect();
    let mut text = rows_start(&headings);
    for row in rows(http) {
        let cells = COLUMNS.map(|(_, part, measure, shown)| {
            results.figure(part, row, measure).map_or_else(String::new, |figure| cell(figure, shown))
        });
        text += &format!("| {row} | {} |\n", cells.join(" | "));
    }
    Some(format!("{text}\n{}\n", machine(&http.machine)))
}

/// Three digits, and thousands apart.
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        ..10.0 if value.fract() != 0.0 => 2,
        10.0..100.0 if value.fract() != 0.0 => 1,
        _ => 0,
    };
    let digits = format!("{value:.decimals$}");
    if value.abs() < 1000.0 {
        return digits;
    }
    let places = digits.len();
    let separated = digits.chars().enumerate().flat_map(|(index, digit)| {
        let comma = index > 0 && (places - index).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    });
    separated.collect()
}

fn heading(title: &str, unit: &str, measured: &Measured) -> String {
    format!("### {title}\n\n{unit}; {}, {}.\n\n", rounds(measured.rounds), machine(&measured.machine))
}

fn rounds(count: usize) -> String {
    format!("{count} {}", if count == 1 { "round" } else { "rounds" })
}

fn machine(machine: &Machine) -> String {
    let Machine { processor, cores, kernel, date, .. } = machine;
    format!("{processor}, {cores} cores, Linux {kernel}, {date}")
}

fn notes(measured: &Measured) -> String {
    measured.notes.iter().map(|note| format!("{note}\n\n")).collect()
}

fn table(measured: &Measured, columns: Columns, shown: Shown) -> String {
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let mut text = rows_start(&headings);
    for row in rows(measured) {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, measure)| {
                let figure = measured.figures.iter().find(|figure| figure.of == row && figure.measure == *measure);
                figure.map_or_else(String::new, |figure| cell(figure, shown))
            })
            .collect();
        text += &format!("| {row} | {} |\n", cells.join(" | "));
    }
    text + "\n"
}

fn rows_start(headings: &[&str]) -> String {
    format!("| | {} |\n|---|{}\n", headings.join(" | "), "---|".repeat(headings.len()))
}

fn rows(measured: &Measured) -> Vec<&str> {
    let mut rows: Vec<&str> = Vec::new();
    for figure in &measured.figures {
        if !rows.contains(&figure.of.as_str()) {
            rows.push(&figure.of);
        }
    }
    rows
}

fn cell(figure: &Figure, shown: Shown) -> String {
    let spread = figure.spread;
    match shown {
        Shown::MedianAndSpread if spread.min < spread.max => {
            format!("{} ({} to {})", number(spread.median), number(spread.min), number(spread.max))
        }
        Shown::Median | Shown::MedianAndSpread => number(spread.median),
        Shown::RatioToEpollAndNginx => match (figure.to_epoll, figure.to_nginx) {
            (Some(epoll), Some(nginx)) => format!("{:.2} / {:.2}", epoll.median, nginx.median),
            _ => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Samples;

    #[test]
    fn a_number_has_as_many_digits_as_it_deserves() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected, "{value}");
        check(0.0, "0");
        check(0.123, "0.12");
        check(7.849, "7.85");
        check(11.66, "11.7");
        check(121.4, "121");
        check(999.0, "999");
        check(1000.0, "1,000");
        check(98_765.4, "98,765");
        check(1_234_567.0, "1,234,567");
    }

    #[test]
    fn the_tables_name_the_machine_and_leave_a_cell_empty_that_was_not_measured() {
        let mut http = Samples::default();
        for (epoll, nginx, service) in [(4.0, 5.0, 6.0), (4.0, 5.0, 5.0), (4.2, 5.0, 7.0)] {
            http.add("epoll", "CPU, 32 connections", "µs", epoll);
            http.add("nginx", "CPU, 32 connections", "µs", nginx);
            http.add("argo-rust", "CPU, 32 connections", "µs", service);
            http.add("argo-rust", "rate, 32 connections", "requests/s", 100_000.0 + service);
        }
        let [processor, kernel, date] = ["A processor", "6.1", "2026-01-02"].map(str::to_owned);
        let machine = Machine { processor, cores: 2, kernel, date, ..Machine::default() };
        let notes = vec!["A note.".to_owned()];
        let http = Measured { machine, rounds: 3, figures: http.figures(), notes };
        let results = Results { parts: [("http".to_owned(), http)].into() };
        insta::assert_snapshot!("summary", summary(&results).expect("http was measured"));
        insta::assert_snapshot!("all", all(&results));
    }
}
