//! The figures as people read them: tables, goals, a plot, and their places in the documents.

mod documents;
mod goals;
mod plot;
mod tables;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub use self::tables::number;
use crate::results::Results;

/// All of it, for a terminal and for docs/performance.md.
pub fn full(results: &Results) -> String {
    [tables::all(results), goals::table(results)].concat().trim_end().to_owned()
}

/// Writes the plot, and the tables between the markers of README.md and docs/performance.md.
pub fn write(results: &Results, bench: &Path) -> Result<()> {
    let repository = bench.parent().context("bench/ is not in the repository")?;
    documents::write_block(&repository.join("docs/performance.md"), &full(results))?;
    if let Some(summary) = tables::summary(results) {
        documents::write_block(&repository.join("README.md"), &summary)?;
    }
    if let Some(plot) = plot::cpu_by_server(results)? {
        fs::write(bench.join("results.svg"), plot).context("cannot write bench/results.svg")?;
    }
    Ok(())
}
