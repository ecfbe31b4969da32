//! Whether the account that a sync acts as is whole: without one of its objects every sync fails.

use super::Verdict;
use super::facts::Facts;

pub const FILE: &str = "argocd/sync-account.yaml";

pub const NAME: &str = "sync account";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(settings) = facts.settings.seen(verdict) else { return };
    if settings["application.sync.impersonation.enabled"] != "true" {
        verdict.note("a sync acts as Argo CD itself");
        return;
    }
    let Some(objects) = facts.account.seen(verdict) else { return };
    for (what, is_there) in objects {
        if !is_there {
            let lacks = format!("there is no {what}, which the account of a sync needs");
            verdict.find(lacks, format!("kubectl apply -f {FILE}"));
        }
    }
    if verdict.findings.is_empty() {
        verdict.note("a sync acts as an account that is whole");
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy, with};
    use super::super::facts::Fact;
    use super::*;

    #[test]
    fn a_missing_object_of_the_account_is_found_while_syncs_act_as_it() {
        let without = |facts: Facts| {
            let objects =
                vec![("Role argo-rust-sync".to_owned(), true), ("RoleBinding argo-rust-sync".to_owned(), false)];
            Facts { account: Fact::Found(objects), ..facts }
        };
        check(look, &healthy(), &[]);
        check(look, &without(healthy()), &["there is no RoleBinding argo-rust-sync"]);
        let off = with(
            |facts| &mut facts.settings,
            |settings| settings["application.sync.impersonation.enabled"] = "false".into(),
        );
        check(look, &without(off), &[]);
    }
}
