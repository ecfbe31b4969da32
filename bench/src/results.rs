use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::statistics::Spread;

/// What `bench/results.json` holds: the newest figures of each part.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// By part, as each may have been measured on another day.
    pub parts: BTreeMap<String, Measured>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    pub machine: Machine,
    pub rounds: usize,
    pub figures: Vec<Figure>,
    /// What was left out, with the reason.
    pub notes: Vec<String>,
}

/// One cell of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The row.
    pub of: String,
    /// The column.
    pub measure: String,
    pub unit: String,
    #[serde(flatten)]
    pub spread: Spread,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_epoll: Option<Spread>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_nginx: Option<Spread>,
}

/// The values of all rounds, until they become figures.
#[derive(Default)]
pub struct Samples(Vec<Sample>);

struct Sample {
    of: String,
    measure: String,
    unit: String,
    values: Vec<f64>,
}

impl Results {
    /// Those of earlier runs, or none.
    pub fn read(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display())),
            Err(_) => Ok(Self::default()),
        }
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        // A line for each figure, so that a difference can be read.
        let text = serde_json::to_string(self)?.replace("{\"of\":", "\n{\"of\":") + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    pub fn figure(&self, part: &str, of: &str, measure: &str) -> Option<&Figure> {
        self.parts.get(part)?.figures.iter().find(|figure| figure.of == of && figure.measure == measure)
    }
}

impl Samples {
    pub fn add(&mut self, of: &str, measure: &str, unit: &str, value: f64) {
        match self.0.iter_mut().find(|sample| sample.of == of && sample.measure == measure) {
            Some(sample) => sample.values.push(value),
            None => {
                let [of, measure, unit] = [of, measure, unit].map(str::to_owned);
                self.0.push(Sample { of, measure, unit, values: vec![value] });
            }
        }
    }

    /// How many values the figures are made of, at most.
    pub fn rounds(&self) -> usize {
        self.0.iter().map(|sample| sample.values.len()).max().unwrap_or(0)
    }

    /// In the order in which they were first seen.
    pub fn figures(&self) -> Vec<Figure> {
        let ratio = |sample: &Sample, base: &str| {
            let base = self.0.iter().find(|other| other.of == base && other.measure == sample.measure)?;
            Spread::of_ratios(&sample.values, &base.values)
        };
        let figures = self.0.iter().map(|sample| Figure {
            of: sample.of.clone(),
            measure: sample.measure.clone(),
            unit: sample.unit.clone(),
            spread: Spread::of(&sample.values).unwrap_or(Spread { median: 0.0, min: 0.0, max: 0.0 }),
            to_epoll: ratio(sample, "epoll"),
            to_nginx: ratio(sample, "nginx"),
        });
        figures.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_knows_its_ratio_to_epoll_and_nginx_in_the_same_measure() {
        let mut samples = Samples::default();
        for (epoll, service) in [(4.0, 6.0), (40.0, 60.0), (4.0, 8.0)] {
            samples.add("epoll", "cpu", "µs", epoll);
            samples.add("argo-rust", "cpu", "µs", service);
            samples.add("argo-rust", "other", "µs", service);
        }
        let figures = samples.figures();
        let check = |index: usize, to_epoll: Option<f64>| {
            assert_eq!(figures[index].to_epoll.map(|ratio| ratio.median), to_epoll, "{:?}", figures[index]);
            assert_eq!(figures[index].to_nginx, None, "nginx was not measured");
        };
        check(0, Some(1.0));
        check(1, Some(1.5));
        check(2, None);
    }
}
