//! The page: complete without script, made of parts that are sent anew when they change. Everything from outside is
//! escaped, as maud does by itself.

mod head;
mod history;
mod plot;
mod rows;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::seen::Service;

pub const STYLE: &str = include_str!("../assets/board.css");
pub const SCRIPT: &str = include_str!("../assets/board.js");

/// A piece of the page with an id of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub id: String,
    pub html: String,
}

/// Of one service, in the order of the page.
pub fn parts(service: &Service) -> Vec<Part> {
    let part = |id: String, html: Markup| Part { id, html: html.into_string() };
    let mut parts = vec![part(head::id(service), head::head(service))];
    parts.extend(service.urgent_first().into_iter().map(|row| part(rows::id(service, row), rows::row(service, row))));
    parts.push(part(history::id(service), history::history(service)));
    parts
}

/// The ids of a service's rows, in their order: where a row belongs changes with its urgency.
pub fn order(service: &Service) -> Vec<String> {
    service.urgent_first().into_iter().map(|row| rows::id(service, row)).collect()
}

pub fn table_id(service: &Service) -> String {
    format!("rows-{}", service.name)
}

/// `generation` is what the script asks to go on from.
pub fn page(services: &[&Service], generation: &str) -> String {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let markup = html! {
        (DOCTYPE)
        html lang="en" data-generation=(generation) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Deliveries of " (names.join(", ")) }
                link rel="stylesheet" href="/board.css";
                link rel="icon" href="data:,";
                script src="/board.js" defer {}
                noscript { meta http-equiv="refresh" content="10"; }
            }
            body {
                header {
                    h1 { "Deliveries" }
                    p #connection role="status" { "Live updates need a script; without one this page is loaded again every 10 seconds." }
                }
                main {
                    @for service in services { (section(service)) }
                }
                p #spoken .hidden role="status" aria-live="polite" {}
                footer { p { a href="/api/commits" { "JSON" } " · " a href="/metrics" { "metrics" } " · times are UTC without a script" } }
            }
        }
    };
    markup.into_string()
}

fn section(service: &Service) -> Markup {
    let [head, rows @ .., history] = &parts(service)[..] else { return html! {} };
    html! {
        section aria-labelledby=(format!("name-{}", service.name)) {
            (PreEscaped(&head.html))
            div .scroll role="region" aria-label=(format!("Commits of {}", service.name)) tabindex="0" {
                table #(table_id(service)) {
                    caption { "The newest commits of " (service.branch) ", stuck and failed ones first" }
                    thead { tr {
                        th scope="col" { "Commit" }
                        @for hop in delivery::journey::hops::HOPS { th scope="col" { (hop.name) } }
                    } }
                    @for row in rows { (PreEscaped(&row.html)) }
                }
            }
            (PreEscaped(&history.html))
        }
    }
}

/// A moment: as the reader's own clock has it where there is a script.
fn time(at: jiff::Timestamp) -> Markup {
    html! { time datetime=(at.strftime("%FT%TZ")) { (at.strftime("%T")) } }
}

/// The same where the day matters.
fn day(at: jiff::Timestamp) -> Markup {
    html! { time .day datetime=(at.strftime("%FT%TZ")) { (at.strftime("%F %R")) } }
}

/// As long as a person wants to know it.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
pub mod tests;
