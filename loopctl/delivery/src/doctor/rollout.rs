//! Whether anybody has stopped the Deployment: paused, or scaled to nothing.

use super::Verdict;
use super::facts::Facts;

pub const NAME: &str = "rollout";

pub fn look(facts: &Facts, verdict: &mut Verdict) {
    let Some(deployment) = facts.deployment.seen(verdict) else { return };
    let (name, namespace) = (&facts.names.deployment, &facts.names.namespace);
    if deployment["spec"]["paused"] == true {
        let mend = format!("kubectl rollout resume deployment/{name} -n {namespace}");
        verdict.find(format!("Deployment {name} is paused: no change is rolled out"), mend);
    }
    if deployment["spec"]["replicas"] == 0 {
        let what = format!("Deployment {name} is scaled to 0: nobody is served");
        verdict.find(what, format!("kubectl scale deployment/{name} -n {namespace} --replicas=1"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::cases::{check, healthy, with};
    use super::*;

    #[test]
    fn a_deployment_that_somebody_has_stopped_is_found() {
        let spec = |field: &str, value: Value| with(|facts| &mut facts.deployment, |each| each["spec"][field] = value);
        check(look, &healthy(), &[]);
        check(look, &spec("paused", true.into()), &["Deployment argo-rust is paused"]);
        check(look, &spec("paused", false.into()), &[]);
        check(look, &spec("replicas", 0.into()), &["is scaled to 0"]);
    }
}
