//! Deploys as the branch remembers them, how long they took, and the four figures.

use delivery::deploys::Deploy;
use delivery::deploys::dora::Dora;
use maud::{Markup, html};

use super::{day, plot, span};
use crate::seen::Service;

const SHOWN: usize = 15;

pub fn id(service: &Service) -> String {
    format!("history-{}", service.name)
}

pub fn history(service: &Service) -> Markup {
    html! {
        div .history #(id(service)) {
            @if let Some(dora) = &service.dora { h3 { "The last " (dora.days) " days" } (figures(dora)) (plot::plot(&service.deploys)) }
            h3 { "Deploys" }
            div .scroll role="region" aria-label=(format!("Deploys of {}", service.name)) tabindex="0" {
                table {
                    caption { "What the branch wanted to be live, the newest first" }
                    thead { tr { @for head in ["When", "What", "Image", "Of", "Lead time", "Wanted for"] { th scope="col" { (head) } } } }
                    tbody { @for deploy in service.deploys.iter().take(SHOWN) { (line(deploy)) } }
                }
            }
        }
    }
}

fn line(deploy: &Deploy) -> Markup {
    let seconds = |from: jiff::Timestamp, to: jiff::Timestamp| span((to.as_second() - from.as_second()).max(0));
    html! {
        tr {
            td { (day(deploy.at)) }
            td { (deploy.what.word()) @if let Some(bad) = &deploy.bad { ", " code { (bad) } " is bad" } }
            td { code { (deploy.tag) } }
            td { @match &deploy.source { Some(source) => { (source.subject) } None => { (deploy.subject) } } }
            td { @if let Some(source) = &deploy.source { (seconds(source.at, deploy.at)) } @else { "unknown" } }
            td { @match deploy.until {
                Some(until) => { (seconds(deploy.at, until)) }
                None if deploy.what.is_of_an_image() => { "until now" }
                None => { "" }
            } }
        }
    }
}

fn figures(dora: &Dora) -> Markup {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none yet".to_owned());
    let unknown = match dora.without_lead_time {
        0 => String::new(),
        count => format!(" Of {count} the commit is not in this history: they are not counted."),
    };
    html! {
        dl .dora {
            dt { "Deployments" } dd { b { (dora.deployments) } " (" (format!("{:.1}", dora.deployments_a_day)) " a day). Images that the workflow wrote to the branch." }
            dt { "Lead time" } dd { b { (or_none(dora.lead_time.map(span))) } ". Median from a commit to the bump of its image; the rollout comes on top." (unknown) }
            dt { "Failed" } dd { b { (or_none(dora.failure_rate.map(|rate| format!("{:.0} %", rate * 100.0)))) } " (" (dora.failed) "). Deployments that were rolled back; one that failed and that nobody took back is not counted." }
            dt { "Time to restore" } dd { b { (or_none(dora.time_to_restore.map(span))) } ". Median from a bad bump to the rollback." }
        }
    }
}
