//! Whether `tofu plan` is empty: the sizing in the cluster is that of tofu/terraform.tfvars.

use super::Verdict;
use super::facts::{Facts, Plan};

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    match facts.plan.seen(verdict) {
        Some(Plan::Empty) => verdict.note("empty: the cluster has the sizing of tofu/terraform.tfvars"),
        Some(Plan::Changes(summary)) => {
            verdict.find(format!("the cluster differs from tofu/terraform.tfvars. {summary}"), "cd tofu && tofu apply");
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_plan_with_changes_is_found() {
        let run = |plan: Fact<Plan>| Facts { plan, ..healthy() };
        check(look, &run(Fact::Found(Plan::Empty)), &[]);
        let changes = "Plan: 0 to add, 1 to change, 0 to destroy.";
        check(
            look,
            &run(Fact::Found(Plan::Changes(changes.into()))),
            &["differs from tofu/terraform.tfvars. Plan: 0 to add"],
        );
        check(look, &run(Fact::Unseen("tofu is not installed".into())), &[]);
    }
}
