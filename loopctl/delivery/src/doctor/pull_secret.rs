//! The pull secret: is it there, is it one, is it for this registry, does it pull, and can its token do more than that.

use super::Verdict;
use super::facts::{Facts, Outcome, Secret};
use crate::registry::host_of;
use crate::registry::logins::is_for;

const KIND: &str = "kubernetes.io/dockerconfigjson";
/// Long enough to make another one without haste.
const EXPIRES_SOON: i64 = 14;
const ENOUGH: &str = "read:packages";

pub const NAME: &str = "pull secret";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let make = "cargo loopctl pull-secret".to_owned();
    let Some(name) = facts.names.pull_secrets.first() else {
        match facts.pull.seen(verdict).map(|pull| (&pull.anonymous, &pull.image)) {
            Some((Outcome::Pulled, _)) => verdict.note("none is named, and none is needed: the image is public"),
            Some((Outcome::Gone, image)) => gone(image, verdict),
            Some((Outcome::Refused(why), image)) => {
                verdict.find(format!("the Deployment names no pull secret, and {image} is not public: {why}"), make);
            }
            Some((Outcome::Unknown(why), _)) => verdict.unseen(why.clone()),
            None => {}
        }
        return;
    };
    let namespace = &facts.names.namespace;
    let pull = facts.pull.seen(verdict);
    if facts.secret.is_missing() {
        match pull.map(|pull| &pull.anonymous) {
            Some(Outcome::Pulled) => verdict.note(format!("{name} is missing and not needed: the image is public")),
            _ => verdict
                .find(format!("there is no Secret {name} in namespace {namespace}, so no new pod can pull"), make),
        }
        return;
    }
    let Some(secret) = facts.secret.seen(verdict) else { return };
    if secret.kind != KIND {
        let what = format!(
            "Secret {name} is of type {}, which the kubelet does not read as a pull secret ({KIND})",
            secret.kind
        );
        verdict.find(what, format!("kubectl delete secret {name} -n {namespace} && {make}"));
        return;
    }
    let host = &host_of(&facts.names.image).unwrap_or_default();
    if !has(secret, &facts.names.image) {
        let what = match &secret.registries {
            Some(others) if others.is_empty() => format!("Secret {name} has no credentials"),
            Some(others) => format!("Secret {name} has credentials for {}, and none for {host}", others.join(", ")),
            None => format!("Secret {name} is not valid JSON"),
        };
        verdict.find(what, make);
        return;
    }
    if let Some(pull) = pull {
        let image = &pull.image;
        match &pull.with_secret {
            Outcome::Pulled => verdict.note(format!("{name} pulls {image}")),
            Outcome::Gone => gone(image, verdict),
            Outcome::Refused(why) => {
                verdict.find(format!("{host} refuses {image} to Secret {name}: {why}"), make.clone());
            }
            Outcome::Unknown(why) => verdict.unseen(why.clone()),
        }
    }
    token(facts, name, &make, verdict);
}

fn gone(image: &str, verdict: &mut Verdict) {
    let mend = "cargo loopctl rollback --reason 'its image is gone'";
    verdict.find(format!("the registry has no {image} any more: a pod on another node cannot start"), mend);
}

fn token(facts: &Facts, name: &str, make: &str, verdict: &mut Verdict) {
    let Some(token) = facts.token.seen(verdict) else {
        if facts.token.is_missing() {
            verdict.note("scopes and expiry of its token are not told");
        }
        return;
    };
    match token.days {
        Some(days) if days < 0 => verdict.find(format!("the token in Secret {name} has expired"), make),
        Some(days) if days < EXPIRES_SOON => {
            verdict.find(format!("the token in Secret {name} expires in {days} days"), make);
        }
        Some(days) => verdict.note(format!("its token expires in {days} days")),
        None => verdict.note("the expiry of its token is not told"),
    }
    let Some(scopes) = &token.scopes else {
        verdict.note("the scopes of its token are not told");
        return;
    };
    let more: Vec<&str> = scopes.iter().map(String::as_str).filter(|scope| *scope != ENOUGH).collect();
    if !more.is_empty() {
        let what = format!("the token in Secret {name} can do more than pull: {}; {ENOUGH} is enough", more.join(", "));
        verdict.find(what, make);
    }
}

fn has(secret: &Secret, image: &str) -> bool {
    secret.registries.iter().flatten().any(|entry| is_for(entry, image))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{check, healthy};
    use super::super::facts::{Fact, Token};
    use super::*;

    fn secret(change: impl FnOnce(&mut Secret)) -> Facts {
        let mut facts = healthy();
        let mut secret = Secret { kind: KIND.into(), registries: Some(vec!["ghcr.io".into()]) };
        change(&mut secret);
        facts.secret = Fact::Found(secret);
        facts
    }

    fn pull(with_secret: Outcome, anonymous: Outcome) -> Facts {
        let mut facts = healthy();
        if let Fact::Found(pull) = &mut facts.pull {
            (pull.with_secret, pull.anonymous) = (with_secret, anonymous);
        }
        facts
    }

    #[test]
    fn a_secret_that_cannot_pull_is_found_with_its_reason() {
        check(look, &healthy(), &[]);
        let mut missing = healthy();
        missing.secret = Fact::Missing;
        check(look, &missing, &["there is no Secret ghcr-secret in namespace argo-rust"]);
        if let Fact::Found(pull) = &mut missing.pull {
            pull.anonymous = Outcome::Pulled;
        }
        check(look, &missing, &[]);
        check(look, &secret(|secret| secret.kind = "Opaque".into()), &["is of type Opaque"]);
        let elsewhere = |secret: &mut Secret| secret.registries = Some(vec!["quay.io".into()]);
        check(look, &secret(elsewhere), &["has credentials for quay.io, and none for ghcr.io"]);
        check(look, &secret(|secret| secret.registries = None), &["is not valid JSON"]);
        check(look, &secret(|secret| secret.registries = Some(vec!["https://ghcr.io/v2/".into()])), &[]);
        let refused = Outcome::Refused("denied".into());
        check(look, &pull(refused.clone(), refused.clone()), &["ghcr.io refuses"]);
        check(look, &pull(Outcome::Gone, refused), &["the registry has no ghcr.io/owner/name"]);
        let mut unnamed = healthy();
        unnamed.names.pull_secrets.clear();
        check(look, &unnamed, &["names no pull secret, and"]);
    }

    #[test]
    fn a_token_that_can_do_more_or_ends_soon_is_found() {
        let token = |scopes: &[&str], days| {
            let mut facts = healthy();
            let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
            facts.token = Fact::Found(Token { scopes, days });
            facts
        };
        check(look, &token(&["read:packages"], Some(90)), &[]);
        check(look, &token(&["read:packages", "repo"], None), &["can do more than pull: repo"]);
        check(look, &token(&["read:packages"], Some(3)), &["expires in 3 days"]);
        check(look, &token(&["read:packages"], Some(-1)), &["has expired"]);
    }
}
