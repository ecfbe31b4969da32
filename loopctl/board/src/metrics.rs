//! What a Prometheus reads: where the newest commits are, how long their hops took, and the four figures.

use std::fmt::Write;
use std::sync::Arc;

use delivery::deploys::What;
use delivery::journey::answer::State;
use jiff::Timestamp;

use crate::seen::Service;

pub const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

const STATES: [State; 7] =
    [State::Live, State::Moving, State::Stuck, State::Failed, State::Superseded, State::Held, State::Unknown];

pub fn text(services: &[Arc<Service>]) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, lines: Vec<(String, f64)>| {
        let _ = writeln!(text, "# HELP loopctl_{name} {help}\n# TYPE loopctl_{name} {kind}");
        for (labels, value) in lines {
            let _ = writeln!(text, "loopctl_{name}{{{labels}}} {value}");
        }
    };
    let each = |of: &dyn Fn(&Service) -> Vec<(String, f64)>| -> Vec<(String, f64)> {
        services.iter().flat_map(|service| of(service)).collect()
    };
    let label = |service: &Service| format!("service=\"{}\"", escaped(&service.name));
    family(
        "commits",
        "gauge",
        "How many of the newest commits are in a state.",
        each(&|service| {
            let count = |state: State| service.rows.iter().filter(|row| row.answer.state == state).count();
            STATES
                .iter()
                .map(|state| (format!("{},state=\"{}\"", label(service), state.word()), count(*state) as f64))
                .collect()
        }),
    );
    family(
        "newest_waits_seconds",
        "gauge",
        "How long the newest commit has waited at the hop that it is at; 0 when it waits for none.",
        each(&|service| {
            let waits = service.rows.first().and_then(|row| row.waits_since());
            let seconds = waits.map_or(0, |since| Timestamp::now().as_second() - since.as_second());
            vec![(label(service), seconds as f64)]
        }),
    );
    family(
        "hop_seconds",
        "gauge",
        "How long a hop usually takes: the median of the newest commits that have passed it.",
        each(&|service| {
            let hops = delivery::journey::hops::HOPS.iter();
            hops.filter_map(|hop| {
                Some((format!("{},hop=\"{}\"", label(service), hop.name), service.usual(hop.name)? as f64))
            })
            .collect()
        }),
    );
    family(
        "held_seconds",
        "gauge",
        "For how long a hold has stopped every bump; 0 where there is none.",
        each(&|service| {
            let since = service.hold.as_ref().map(|hold| hold.since);
            let seconds = since.map_or(0, |since| Timestamp::now().as_second() - since.as_second());
            vec![(label(service), seconds as f64)]
        }),
    );
    family(
        "unseen",
        "gauge",
        "How many of those that are asked could not be.",
        each(&|service| vec![(label(service), service.unseen.len() as f64)]),
    );
    let count_of = |service: &Service, what: What| service.deploys.iter().filter(|deploy| deploy.what == what).count();
    family(
        "deployments_total",
        "counter",
        "Images that the workflow wrote to the branch, as far as its history is read.",
        each(&|service| vec![(label(service), count_of(service, What::Bump) as f64)]),
    );
    family(
        "rollbacks_total",
        "counter",
        "Images that were taken back, as far as the history of the branch is read.",
        each(&|service| vec![(label(service), count_of(service, What::Rollback) as f64)]),
    );
    let dora = |of: &dyn Fn(&delivery::deploys::dora::Dora) -> Option<f64>| -> Vec<(String, f64)> {
        services.iter().filter_map(|service| Some((label(service), of(service.dora.as_ref()?)?))).collect()
    };
    let seconds = |value: Option<i64>| value.map(|value| value as f64);
    family("dora_deployments", "gauge", "Deployments of 30 days.", dora(&|dora| Some(dora.deployments as f64)));
    family(
        "dora_lead_time_seconds",
        "gauge",
        "Median of 30 days from commit to bump.",
        dora(&|dora| seconds(dora.lead_time)),
    );
    family(
        "dora_failure_rate",
        "gauge",
        "Part of the deployments of 30 days that was rolled back.",
        dora(&|dora| dora.failure_rate),
    );
    family(
        "dora_restore_seconds",
        "gauge",
        "Median of 30 days from a bad bump to its rollback.",
        dora(&|dora| seconds(dora.time_to_restore)),
    );
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
