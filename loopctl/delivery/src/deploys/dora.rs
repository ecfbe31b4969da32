//! The four figures of DORA, from what the branch remembers; each with how it was counted and what could not be.
//!
//! A deployment is a bump: an image that the workflow wrote. What Kubernetes then made of it stands in no history, so a
//! deployment that failed is one that somebody, or `loopctl guard`, took back.

use jiff::{SignedDuration, Timestamp};

use super::{Deploy, What};

pub const DAYS: i64 = 30;

#[derive(Clone, Debug, PartialEq)]
pub struct Dora {
    pub days: i64,
    pub deployments: usize,
    pub deployments_a_day: f64,
    /// Seconds from a commit to the bump of its image, the median.
    pub lead_time: Option<i64>,
    /// Deployments whose commit this history does not have, so that nobody knows how long they took.
    pub without_lead_time: usize,
    pub failed: usize,
    /// Of 1; none where there was no deployment.
    pub failure_rate: Option<f64>,
    /// Seconds from a bad bump to the image that took its place, the median.
    pub time_to_restore: Option<i64>,
}

/// Of `DAYS` days until now, from deploys of which the newest come first.
pub fn dora(deploys: &[Deploy], now: Timestamp) -> Dora {
    let since = now - SignedDuration::from_hours(24 * DAYS);
    let bumps: Vec<&Deploy> = deploys.iter().filter(|deploy| deploy.what == What::Bump && deploy.at > since).collect();
    let lead = |bump: &&&Deploy| bump.source.as_ref().map(|source| seconds(source.at, bump.at));
    let lead_times: Vec<i64> = bumps.iter().filter_map(|bump| lead(&bump)).collect();
    let restored: Vec<i64> =
        bumps.iter().filter_map(|bump| Some(seconds(bump.at, taken_back(bump, deploys)?))).collect();
    let count = bumps.len();
    Dora {
        days: DAYS,
        deployments: count,
        deployments_a_day: count as f64 / DAYS as f64,
        without_lead_time: count - lead_times.len(),
        lead_time: median(lead_times),
        failed: restored.len(),
        failure_rate: (count > 0).then(|| restored.len() as f64 / count as f64),
        time_to_restore: median(restored),
    }
}

/// When a later commit called the image bad and put another one in its place.
fn taken_back(bump: &Deploy, deploys: &[Deploy]) -> Option<Timestamp> {
    let digits = bump.tag.strip_prefix("sha-")?;
    let of_it = |deploy: &&Deploy| {
        deploy.what == What::Rollback && deploy.at >= bump.at && deploy.bad.as_deref() == Some(digits)
    };
    deploys.iter().rfind(of_it).map(|rollback| rollback.at)
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

/// Of an even number the lower of the two in the middle, which is one that there was.
pub fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::super::tests::at;
    use super::*;

    fn deploy(what: What, tag: &str, minutes: i64, source: Option<i64>, bad: Option<&str>) -> Deploy {
        Deploy {
            what,
            commit: String::new(),
            subject: String::new(),
            at: at(minutes),
            tag: format!("sha-{tag}"),
            until: None,
            source: source.map(|minutes| Source { commit: String::new(), subject: String::new(), at: at(minutes) }),
            bad: bad.map(str::to_owned),
        }
    }

    #[test]
    fn the_figures_are_those_that_a_person_counts() {
        const DAY: i64 = 24 * 60;
        let now = at(40 * DAY);
        let history = [
            deploy(What::Bump, "5555555", 39 * DAY, None, None),
            deploy(What::Resume, "3333333", 31 * DAY, None, Some("4444444")),
            deploy(What::Rollback, "3333333", 30 * DAY + 12, None, Some("4444444")),
            deploy(What::Bump, "4444444", 30 * DAY, Some(30 * DAY - 6), None),
            deploy(What::Bump, "3333333", 20 * DAY, Some(20 * DAY - 4), None),
            deploy(What::Bump, "2222222", 15 * DAY, Some(15 * DAY - 10), None),
            // Forty days ago is no concern of a month, and neither is its rollback.
            deploy(What::Rollback, "0000000", 10, None, Some("1111111")),
            deploy(What::Bump, "1111111", 5, Some(0), None),
        ];
        // By hand: four bumps within 30 days; lead times 6, 4 and 10 minutes; one of four taken back, 12 minutes later.
        let expected = Dora {
            days: 30,
            deployments: 4,
            deployments_a_day: 4.0 / 30.0,
            lead_time: Some(6 * 60),
            without_lead_time: 1,
            failed: 1,
            failure_rate: Some(0.25),
            time_to_restore: Some(12 * 60),
        };
        assert_eq!(dora(&history, now), expected);
        let none = dora(&[], now);
        assert_eq!((none.deployments, none.lead_time, none.failure_rate, none.time_to_restore), (0, None, None, None));
    }

    #[test]
    fn a_median_is_a_value_that_there_was() {
        for (values, expected) in [(vec![], None), (vec![3], Some(3)), (vec![4, 1], Some(1)), (vec![9, 1, 5], Some(5))]
        {
            assert_eq!(median(values), expected);
        }
    }
}
