//! Whether a quota of the namespace leaves room for the pod that a rollout makes before it ends an old one.

use serde_json::{Value, json};

use super::Verdict;
use super::automation::in_quotes;
use super::facts::Facts;

/// From this share of a limit on, the next rollout may be the one that does not fit.
const NEAR: f64 = 0.9;

pub const NAME: &str = "quotas";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(quotas) = facts.quotas.seen(verdict) else { return };
    for quota in quotas {
        let name = quota["metadata"]["name"].as_str().unwrap_or_default();
        for (resource, hard) in quota["status"]["hard"].as_object().into_iter().flatten() {
            let (hard, used) = (text(hard), text(&quota["status"]["used"][resource]));
            let (Some(limit), Some(use_now)) = (amount(&hard), amount(&used)) else { continue };
            if use_now < limit * NEAR && use_now < limit {
                continue;
            }
            let how = if use_now >= limit { "is used up" } else { "is nearly used up" };
            let what = format!("{resource} of quota {name} {how} ({used} of {hard}): the next rollout may not fit");
            let patch = in_quotes(&json!({"spec": {"hard": {resource: doubled(&used, &hard)}}}));
            let namespace = &facts.names.namespace;
            verdict.find(what, format!("kubectl patch resourcequota {name} -n {namespace} --type=merge -p '{patch}'"));
        }
    }
    if verdict.findings.is_empty() {
        verdict.note(if quotas.is_empty() { "no quota" } else { "there is room" });
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// As Kubernetes writes amounts: 500m, 64Mi, 2.
fn amount(text: &str) -> Option<f64> {
    let (number, suffix) = split(text);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len()))
}

/// Room for as much again as there is now, by the unit in which it is written.
fn doubled(used: &str, hard: &str) -> String {
    let (number, suffix) = split(if amount(used) > Some(0.0) { used } else { hard });
    let twice = number.parse::<f64>().unwrap_or_default() * 2.0;
    format!("{}{suffix}", twice.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_limit_that_is_reached_or_near_is_found() {
        let run = |resource: &str, used: Value, hard: Value, expected: &[&str]| {
            let quota =
                json!({"metadata": {"name": "q"}, "status": {"hard": {resource: hard}, "used": {resource: used}}});
            check(look, &Facts { quotas: Fact::Found(vec![quota]), ..healthy() }, expected);
        };
        check(look, &healthy(), &[]);
        run("pods", json!("1"), json!("10"), &[]);
        run("pods", json!("1"), json!("1"), &["pods of quota q is used up (1 of 1)"]);
        run("pods", json!("1"), json!("0"), &["pods of quota q is used up (1 of 0)"]);
        run("pods", json!("0"), json!("0"), &["is used up"]);
        run("requests.cpu", json!("950m"), json!("1"), &["requests.cpu of quota q is nearly used up (950m of 1)"]);
        run("limits.memory", json!("64Mi"), json!("1Gi"), &[]);
        run("limits.memory", json!("1Gi"), json!("1000Mi"), &["is used up"]);
        run("count/x", json!("strange"), json!("1"), &[]);
    }

    #[test]
    fn the_room_that_a_mend_makes_is_twice_what_is_used() {
        for (used, hard, expected) in
            [("1", "0", "2"), ("950m", "1", "1900m"), ("64Mi", "64Mi", "128Mi"), ("0", "0", "1")]
        {
            assert_eq!(doubled(used, hard), expected, "{used} of {hard}");
        }
    }
}
