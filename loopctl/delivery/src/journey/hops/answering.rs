//! Whether anybody is served: pods that run are of no use as long as no Service leads to them.

use super::Look;
use super::pods::{of_newest, pods};
use crate::cluster::offered::Offered;
use crate::coordinates::{split_image, tagged};
use crate::journey::answer::{Hop, HopState};
use crate::journey::facts::{Endpoint, Facts, Rollout, Serving};

pub const NAME: &str = "answering";

/// EndpointSlices and the rules of a proxy follow the pods within this many seconds.
const SETTLING: i64 = 10;

pub fn look(facts: &Facts) -> Look {
    Look::at(facts.serving.answering(facts.expected_tag().as_deref()))
}

impl Serving {
    /// Of a rollout that is complete. What answers there has to name that tag; without one, that of the Deployment.
    pub fn answering(&self, expected: Option<&str>) -> Hop {
        let running = self.rollout.as_ref().ok().and_then(Option::as_ref);
        let Some(rollout) = running else { return self.seen_from_outside(expected) };
        let of_image = split_image(&rollout.workload.image).ok().map(|(_, tag)| tag);
        let expected = expected.map(str::to_owned).or(of_image).unwrap_or_default();
        let led = match &self.offered {
            Ok(offered) => match self.led(rollout, offered.as_ref()) {
                Ok(led) => Ok(led),
                Err(hop) => return *hop,
            },
            Err(reason) => Err(reason),
        };
        let is_settled = self.is_settled(rollout);
        match (&self.endpoint, led) {
            (Ok(endpoint), _) if endpoint.tag == expected => Hop::new(NAME, HopState::Done, says(endpoint)),
            (Ok(endpoint), Ok(led)) if is_settled => {
                let why = format!("{led}, so something else answers there, or the node's proxy does not follow");
                Hop::new(NAME, HopState::Stuck, says(endpoint)).because([why])
            }
            (Ok(endpoint), _) => Hop::new(NAME, HopState::Moving, says(endpoint)),
            (Err(silent), _) if self.has_to_answer => Hop::new(NAME, HopState::Stuck, "").because([silent.clone()]),
            (Err(silent), Ok(led)) => Hop::new(NAME, HopState::Unseen, led).because([silent.clone()]),
            (Err(silent), Err(reason)) => {
                Hop::new(NAME, HopState::Unseen, "").because([reason.clone(), silent.clone()])
            }
        }
    }

    /// The same where it is not asked which commit answers: an image may have been given another tag, as by hand.
    pub fn with_any_tag(mut self) -> Self {
        let running = self.rollout.as_ref().ok().and_then(Option::as_ref);
        let tag = running.and_then(|rollout| split_image(&rollout.workload.image).ok()).map(|(_, tag)| tag);
        if let (Ok(endpoint), Some(tag)) = (&mut self.endpoint, tag) {
            endpoint.tag = tag;
        }
        self
    }

    /// Every pod runs that image and somebody is served by it; otherwise what is missing.
    pub fn live(&self, image: &str) -> Result<(), String> {
        let rollout = self.rollout.as_ref()?.as_ref().ok_or("there is no Deployment")?;
        if tagged(&rollout.workload.image) != image {
            return Err(format!("the Deployment has {}, and git says {image}", rollout.workload.image));
        }
        let pods = pods(self.now, rollout);
        if !pods.is_done() {
            return Err(pods.said());
        }
        let answering = self.answering(None);
        if self.is_served(&answering) { Ok(()) } else { Err(answering.said()) }
    }

    /// The Service leads to the pods, or it could not be seen and somebody answers rightly.
    pub fn is_served(&self, answering: &Hop) -> bool {
        answering.state == HopState::Done || (answering.state == HopState::Unseen && self.offered.is_ok())
    }

    /// Of pods that could not be seen nothing can be said but what answers; another answer may be anybody's.
    fn seen_from_outside(&self, expected: Option<&str>) -> Hop {
        match &self.endpoint {
            Ok(endpoint) if Some(endpoint.tag.as_str()) == expected => Hop::new(NAME, HopState::Done, says(endpoint)),
            Ok(endpoint) => Hop::new(NAME, HopState::Unseen, says(endpoint)),
            Err(reason) => Hop::new(NAME, HopState::Unseen, "").because([reason.clone()]),
        }
    }

    /// To which pods, in words; or what keeps the Service from leading to any of the newest ones.
    pub fn led(&self, rollout: &Rollout, offered: Option<&Offered>) -> Result<String, Box<Hop>> {
        let hop = |state, detail: String| Box::new(Hop::new(NAME, state, detail));
        let stuck = |detail: String| hop(HopState::Stuck, detail);
        let Some(offered) = offered else { return Err(stuck("there is no Service: nobody can be served".to_owned())) };
        let newest: Vec<&str> = of_newest(rollout).filter(|pod| pod.ready).map(|pod| pod.name.as_str()).collect();
        let led = offered.pods.iter().filter(|pod| newest.contains(&pod.as_str())).count();
        let service = &offered.service;
        if led == 0
            && let Some(mismatch) = mismatch(rollout, offered)
        {
            return Err(Box::new(stuck("the Service selects no ready pod".to_owned()).because([mismatch])));
        }
        if led == 0 && !offered.pods.is_empty() {
            let why = format!("Service {service} leads to {} and to no new pod", offered.pods.join(", "));
            return Err(if self.is_settled(rollout) { stuck(why) } else { hop(HopState::Moving, why) });
        }
        if led == 0 {
            let why = format!("Service {service} has no ready endpoint yet");
            if !self.is_settled(rollout) {
                return Err(hop(HopState::Moving, why));
            }
            let mend = "its EndpointSlices lack the pods that it selects: is kube-controller-manager running?";
            return Err(Box::new(stuck(format!("Service {service} has no ready endpoint")).because([mend.to_owned()])));
        }
        let ports: Vec<i32> = of_newest(rollout).flat_map(|pod| pod.ports.iter().copied()).collect();
        let leads_to = |port: &i32| ports.contains(port);
        if offered.ports.is_empty() {
            let why = format!("Service {service} leads to a port that the pods have not got: mend its targetPort");
            return Err(stuck(why));
        }
        // A port need not be declared, so an answer counts for more than the list.
        if !ports.is_empty() && self.endpoint.is_err() && !offered.ports.iter().any(leads_to) {
            let (leads, has) = (listed(&offered.ports), listed(&ports));
            return Err(stuck(format!("Service {service} leads to port {leads}, and the pods listen at {has}")));
        }
        Ok(format!("Service {service} leads to {led} of {} ready pods", newest.len()))
    }

    /// The pods are ready for longer than anybody needs to follow.
    fn is_settled(&self, rollout: &Rollout) -> bool {
        let newest = of_newest(rollout).filter_map(|pod| pod.ready_since).max();
        newest.is_none_or(|since| self.now.as_second() - since.as_second() >= SETTLING)
    }
}

fn says(endpoint: &Endpoint) -> String {
    format!("{} answers {}", endpoint.address, endpoint.tag)
}

/// Why the selector finds none of the new pods; None when it finds one.
fn mismatch(rollout: &Rollout, offered: &Offered) -> Option<String> {
    if offered.selector.is_empty() {
        return Some(format!("Service {} has no selector: mend k8s/service.yaml", offered.service));
    }
    let pods: Vec<_> = of_newest(rollout).collect();
    let wanted = |labels: &std::collections::BTreeMap<String, String>| {
        offered.selector.iter().find(|(key, value)| labels.get(*key) != Some(value)).map(|(key, value)| {
            let has = labels.get(key).map_or("have no such label".to_owned(), |has| format!("have {has}"));
            format!("its selector is {key}={value}, and the pods {has}: mend k8s/service.yaml")
        })
    };
    let first = wanted(&pods.first()?.labels)?;
    pods.iter().all(|pod| wanted(&pod.labels).is_some()).then_some(first)
}

fn listed(ports: &[i32]) -> String {
    let mut ports: Vec<String> = ports.iter().map(i32::to_string).collect();
    ports.dedup();
    ports.join(", ")
}
