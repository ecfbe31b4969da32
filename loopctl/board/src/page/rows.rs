//! One commit: its eight hops, and what is to be known and to be typed when it is opened.

use delivery::coordinates::short;
use delivery::journey::answer::{Hop, HopState};
use maud::{Markup, html};

use super::{span, time};
use crate::seen::{Row, Service};

pub fn id(service: &Service, row: &Row) -> String {
    format!("row-{}-{}", service.name, short(&row.answer.commit))
}

pub fn row(service: &Service, row: &Row) -> Markup {
    let answer = &row.answer;
    let state = answer.state.word();
    html! {
        tbody #(id(service, row)) class=(state) data-state=(state) data-said=(answer.summary) {
            tr {
                th scope="row" { code { (short(&answer.commit)) } " " b { (state) } br; (answer.subject) }
                @for hop in &answer.hops { (cell(service, row, hop)) }
            }
            tr .more { td colspan=(answer.hops.len() + 1) { (more(row)) } }
        }
    }
}

fn cell(service: &Service, row: &Row, hop: &Hop) -> Markup {
    let is_current = row.current().is_some_and(|current| current.hop == hop.hop);
    html! {
        td class=(hop.state.word()) {
            (sign(hop.state)) " " (hop.state.word())
            @if let Some(at) = hop.at { " " (time(at)) }
            @if let Some(seconds) = hop.seconds { " +" (span(seconds)) }
            @if is_current {
                @if let Some(since) = row.waits_since() { " since " (time(since)) }
                @if let Some(usual) = service.usual(hop.hop) { " (usually " (span(usual)) ")" }
            }
        }
    }
}

fn more(row: &Row) -> Markup {
    let answer = &row.answer;
    let told = answer.hops.iter().filter(|hop| !hop.detail.is_empty() || !hop.reason.is_empty());
    html! {
        details {
            summary { (answer.summary) }
            p { (row.author) ", " (super::day(row.at)) @if let Some((from, until)) = row.wanted {
                ". Wanted from " (super::day(from)) @if let Some(until) = until { " to " (super::day(until)) } @else { " on" } } }
            dl { @for hop in told {
                dt { (hop.hop) }
                dd { (hop.detail) @if !hop.reason.is_empty() { pre { (hop.reason.join("\n")) } } }
            } }
            p { @if let Some(diff) = &row.diff { a href=(diff) rel="noreferrer" { "its change" } ". " }
                "To type: " @for command in &row.commands { code { (command) } " " } }
        }
    }
}

/// What a state is known by where colours are not seen.
fn sign(state: HopState) -> &'static str {
    match state {
        HopState::Done => "✓",
        HopState::Skipped => "–",
        HopState::Waiting => "·",
        HopState::Moving => "→",
        HopState::Stuck => "!",
        HopState::Failed => "✗",
        HopState::Unseen => "?",
    }
}
