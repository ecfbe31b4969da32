//! Whether a hold stands in git: as long as it does, no bump is delivered.

use std::time::Duration;

use super::Verdict;
use super::facts::Facts;

pub const NAME: &str = "holds";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(hold) = facts.hold.seen(verdict) else {
        if facts.hold.is_missing() {
            verdict.note("none");
        }
        return;
    };
    let minutes = Duration::from_secs(hold.age.as_secs() / 60 * 60);
    let since = format!("for {}", humantime::format_duration(minutes));
    let is_revision = (7..=40).contains(&hold.bad.len()) && hold.bad.bytes().all(|digit| digit.is_ascii_hexdigit());
    let by_hand = || format!("edit line {} of k8s/deployment.yaml by hand, commit and push", hold.line);
    let (what, mend) = if !hold.is_certain {
        (format!("line {} of k8s/deployment.yaml may be a hold, and stops every bump {since}", hold.line), by_hand())
    } else if is_revision {
        let what = format!("a hold because of {} stops every bump {since}", hold.bad);
        (what, "cargo loopctl resume".to_owned())
    } else {
        let what = format!("a hold whose value '{}' is no revision stops every bump {since}", hold.bad);
        (what, "cargo loopctl resume".to_owned())
    };
    verdict.find(what, mend);
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::{Fact, Standing};
    use super::*;

    #[test]
    fn a_hold_is_found_with_its_age_and_a_value_that_is_no_revision() {
        let run = |bad: &str, seconds: u64, is_certain: bool, expected: &[&str]| {
            let hold = Standing { bad: bad.into(), line: 5, is_certain, age: Duration::from_secs(seconds) };
            check(look, &Facts { hold: Fact::Found(hold), ..healthy() }, expected);
        };
        check(look, &healthy(), &[]);
        run("2222222", 7_290, true, &["a hold because of 2222222 stops every bump for 2h 1m"]);
        run("yes please", 90_000, true, &["whose value 'yes please' is no revision stops every bump for 1day 1h"]);
        run("", 0, true, &["whose value '' is no revision stops every bump for 0s"]);
        run("", 60, false, &["line 5 of k8s/deployment.yaml may be a hold"]);
    }
}
