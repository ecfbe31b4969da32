//! What is live, what holds, and who could not be asked.

use delivery::coordinates::short;
use maud::{Markup, html};

use super::{day, time};
use crate::seen::Service;

pub fn id(service: &Service) -> String {
    format!("head-{}", service.name)
}

pub fn head(service: &Service) -> Markup {
    html! {
        div .head #(id(service)) {
            h2 #(format!("name-{}", service.name)) { (service.name) }
            p .where { (service.repository) ", branch " (service.branch) @if !service.cluster.is_empty() { ", at " (service.cluster) } }
            (live(service))
            @if let Some(hold) = &service.hold {
                p .hold { strong { "⏸ Held" } " because of " code { (hold.bad) }
                    " since " (day(hold.since))
                    ": " (hold.reason) ". To lift it: " code { (hold.command) } }
            }
            @if !service.unseen.is_empty() {
                ul .unseen { @for unseen in &service.unseen { li { strong { "? " (unseen.who) } " could not be asked: " (unseen.why) } } }
            }
        }
    }
}

fn live(service: &Service) -> Markup {
    let Some(live) = &service.live else {
        let said = if service.is_known() { "What is live is unknown." } else { "Nobody has looked yet: in a moment." };
        return html! { p .live { (said) } };
    };
    html! {
        p .live {
            strong { @if live.but.is_none() { "✓ Live: " } @else { "! Not quite live: " } code { (live.tag) } }
            @if let (Some(subject), Some(commit)) = (&live.subject, &live.commit) { " " q { (subject) } " (" (short(commit)) ")" }
            @if let Some(since) = live.since { ", wanted since " (time(since)) }
            ", on " (live.pods)
            @match &live.answers { Ok(says) => { "; " (says) } Err(_) => { "; its endpoint was not seen to answer" } }
            @if let Some(but) = &live.but { ". " (but) }
        }
    }
}
