use std::path::Path;

use anyhow::Result;

use crate::results::Results;

pub fn tables(results: &Results) -> String {
    let mut text = String::new();
    for (part, measured) in &results.parts {
        text += &format!("== {part}\n");
        for figure in &measured.figures {
            text += &format!(
                "{:28} {:40} {:>12.3} ({:.3}-{:.3}) {} epoll {:?} nginx {:?}\n",
                figure.of,
                figure.measure,
                figure.spread.median,
                figure.spread.min,
                figure.spread.max,
                figure.unit,
                figure.to_epoll.map(|r| (r.median * 1000.0).round() / 1000.0),
                figure.to_nginx.map(|r| (r.median * 1000.0).round() / 1000.0)
            );
        }
        for note in &measured.notes {
            text += &format!("{note}\n");
        }
    }
    text
}
pub fn write(_: &Results, _: &Path) -> Result<()> {
    Ok(())
}

pub fn number(value: f64) -> String {
    format!("{value:.0}")
}
