//! Whether the repository has heard of the newest template: that of this loopctl, as both are released together.

use super::Verdict;
use super::facts::Facts;

pub const NAME: &str = "template";

const NEWEST: &str = env!("CARGO_PKG_VERSION");

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    if facts.template.is_missing() {
        verdict.note("this repository did not begin with `loopctl new`");
    }
    let Some(version) = facts.template.seen(verdict) else { return };
    match (number(version), number(NEWEST)) {
        (Some(here), Some(newest)) if here < newest => {
            let what = format!("the template of this repository is {version}, and this loopctl has {NEWEST}");
            verdict.find(what, "loopctl update");
        }
        (Some(here), Some(newest)) if here > newest => {
            verdict.note(format!("template {version}, newer than this loopctl, which is {NEWEST}"));
        }
        _ => verdict.note(format!("template {version}")),
    }
}

fn number(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_template_that_is_older_than_the_tool_is_named_with_the_command() {
        let of = |version: &str| Facts { template: Fact::Found(version.to_owned()), ..healthy() };
        check(look, &of(NEWEST), &[]);
        check(look, &of("0.0.9"), &["the template of this repository is 0.0.9"]);
        check(look, &of("99.0.0"), &[]);
        check(look, &healthy(), &[]);
    }
}
