use serde::{Deserialize, Serialize};

/// What the rounds of one run gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// None of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
        Some(Self { median, min, max })
    }

    /// Each round's ratio by itself: what disturbed the machine in a round has disturbed both.
    pub fn of_ratios(values: &[f64], bases: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = values.iter().zip(bases).map(|(value, base)| value / base).collect();
        Self::of(&ratios)
    }
}

/// The value that so many thousandths of all are not above; the values have to be sorted.
pub fn percentile(sorted: &[f64], thousandths: usize) -> Option<f64> {
    let rank = (sorted.len() * thousandths).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle_whatever_the_order_and_the_number_of_rounds() {
        let check = |values: &[f64], expected: Option<(f64, f64, f64)>| {
            let expected = expected.map(|(median, min, max)| Spread { median, min, max });
            assert_eq!(Spread::of(values), expected, "{values:?}");
        };
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[9.0, 1.0, 2.0], Some((2.0, 1.0, 9.0)));
        check(&[4.0, 1.0, 2.0, 9.0], Some((3.0, 1.0, 9.0)));
    }

    #[test]
    fn a_ratio_compares_within_each_round_so_a_slow_round_does_not_move_it() {
        let ratio = Spread::of_ratios(&[12.0, 120.0, 12.0], &[10.0, 100.0, 10.0]);
        assert_eq!(ratio, Some(Spread { median: 1.2, min: 1.2, max: 1.2 }));
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let check = |values: &[f64], thousandths: usize, expected: Option<f64>| {
            assert_eq!(percentile(values, thousandths), expected, "{thousandths} of {}", values.len());
        };
        check(&values, 500, Some(500.0));
        check(&values, 990, Some(990.0));
        check(&values, 999, Some(999.0));
        check(&values, 1000, Some(1000.0));
        check(&values[..10], 999, Some(10.0));
        check(&values[..1], 500, Some(1.0));
        check(&[], 500, None);
    }
}
