//! What tofu/variables.tf would refuse is refused here already, with the option's name and what it accepts.

use std::sync::LazyLock;

use regex::Regex;

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).unwrap_or_else(|error| panic!("a pattern of ours: {error}")));
    };
}

pattern!(SERVICE, "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$");
pattern!(NAMESPACE, "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");
pattern!(SECRET, r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*)?$");
pattern!(
    IMAGE,
    concat!(
        r"^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
        r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$"
    )
);
pattern!(PATH, "^/[!-~]*$");
pattern!(CPU, "^([0-9]+)(?:[.]([0-9]{1,3}))?(m?)$");
pattern!(MEMORY, "^([0-9]+)(?:[.]([0-9]+))?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$");

type Checked = Result<String, String>;

fn check(pattern: &Regex, text: &str, accepted: &str) -> Checked {
    if pattern.is_match(text) { Ok(text.to_owned()) } else { Err(accepted.to_owned()) }
}

pub fn service(text: &str) -> Checked {
    if ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text) {
        return Err("is a word that YAML does not take for a name".into());
    }
    check(&SERVICE, text, "must be 1 to 63 of a-z, 0-9 and '-', starting with a letter and not ending in '-'")
}

pub fn namespace(text: &str) -> Checked {
    if text == "default" || text.starts_with("kube-") {
        return Err("must be a namespace of the service's own, neither default nor kube-*".into());
    }
    check(&NAMESPACE, text, "must be 1 to 63 of a-z, 0-9 and '-', neither starting nor ending with '-'")
}

pub fn image(text: &str) -> Checked {
    check(&IMAGE, text, "must name a repository in lower case with a tag or a digest, such as ghcr.io/you/shop:v1.0.0")
}

pub fn secret(text: &str) -> Checked {
    check(&SECRET, text, "must be the name of a Secret, such as ghcr-secret, or \"\" for a public image")
}

pub fn path(text: &str) -> Checked {
    // A template's beginning would be one for OpenTofu too.
    if text.contains("${") || text.contains("%{") {
        return Err("must not contain ${ or %{".into());
    }
    check(&PATH, text, "must start with '/' and hold no spaces, such as /hello")
}

pub fn cpu(text: &str) -> Checked {
    let accepted = "must be more than 0, in cores (2, 0.5) or thousandths of one (250m)";
    if thousandths_of_cpu(text).is_none_or(|amount| amount == 0) { Err(accepted.into()) } else { Ok(text.to_owned()) }
}

pub fn memory(text: &str) -> Checked {
    match bytes(text) {
        None => Err("must be a number with a suffix Ki, Mi, Gi, Ti, Pi, Ei, k, M, G, T, P or E, such as 64Mi".into()),
        Some(bytes) if bytes < 1024.0 * 1024.0 => Err("must be at least 1Mi, or no container starts".into()),
        Some(_) => Ok(text.to_owned()),
    }
}

/// A request above its limit is refused by Kubernetes, but only when a pod is to be made.
pub fn not_above(request: &str, limit: &str) -> bool {
    match (thousandths_of_cpu(request), thousandths_of_cpu(limit)) {
        (Some(request), Some(limit)) => request <= limit,
        _ => bytes(request) <= bytes(limit),
    }
}

fn thousandths_of_cpu(text: &str) -> Option<u64> {
    let parts = CPU.captures(text)?;
    let whole: u64 = parts[1].parse().ok()?;
    let decimals = parts.get(2).map_or("", |decimals| decimals.as_str());
    match (&parts[3], decimals) {
        ("m", "") => Some(whole),
        ("m", _) => None,
        _ => whole.checked_mul(1000)?.checked_add(format!("{decimals:0<3}").parse().ok()?),
    }
}

fn bytes(text: &str) -> Option<f64> {
    let parts = MEMORY.captures(text)?;
    let suffix = parts.get(3).map_or("", |suffix| suffix.as_str());
    let decimals = parts.get(2).map_or("0", |decimals| decimals.as_str());
    if suffix.is_empty() && parts.get(2).is_some() {
        return None;
    }
    let amount: f64 = format!("{}.{decimals}", &parts[1]).parse().ok()?;
    let base: f64 = if suffix.ends_with('i') { 1024.0 } else { 1000.0 };
    let power =
        suffix.chars().next().map_or(0, |first| "kMGTPE".find(first).or("K".find(first)).map_or(0, |at| at + 1));
    Some(amount * base.powi(i32::try_from(power).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(by: fn(&str) -> Checked, accepted: &[&str], refused: &[&str]) {
        accepted.iter().for_each(|text| assert_eq!(by(text), Ok((*text).to_owned())));
        refused.iter().for_each(|text| assert!(by(text).is_err(), "accepted {text:?}"));
    }

    #[test]
    fn what_tofu_refuses_is_refused() {
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        check(
            service,
            &["a", "shop-2", &longest],
            &["", "2shop", "Shop", "shop-", "a.b", "a_b", "a b", "true", &too_long],
        );
        check(namespace, &["2shop", "shop"], &["default", "kube-system", "-a", "a-", ""]);
        let digest = format!("ghcr.io/you/shop@sha256:{}", "0".repeat(64));
        check(
            image,
            &["shop:1", "ghcr.io/you/shop:sha-0123abc", "node.example:5000/a/b:1", &digest],
            &["shop", "ghcr.io/You/shop:1", "shop:", "shop@sha256:12", "a b:1", "${x}:1"],
        );
        check(secret, &["", "ghcr-secret", "a.b"], &["Secret", "a_b", "-"]);
        check(path, &["/", "/healthz?full=1"], &["", "hello", "/a b", "/${x}"]);
        check(cpu, &["1", "0.5", "250m", "1.125"], &["0", "0m", "0.000", "1.1234", "-1", "1 m", "0.5m", "1k", ""]);
        check(memory, &["64Mi", "1.5Gi", "1048576", "1E"], &["64", "1023Ki", "64mi", "64MB", "1.5", "", "-1Mi", "0Gi"]);
    }

    #[test]
    fn a_request_is_compared_with_its_limit_in_amounts_and_not_in_letters() {
        for (request, limit) in [("50m", "0.05"), ("900m", "1"), ("0.063", "63m"), ("1000Ki", "1Mi"), ("64M", "64Mi")] {
            assert!(not_above(request, limit), "{request} is not above {limit}");
        }
        for (request, limit) in [("2", "1999m"), ("65Mi", "64Mi"), ("1Gi", "1G"), ("64Mi", "64M")] {
            assert!(!not_above(request, limit), "{request} is above {limit}");
        }
    }
}
