//! Lead times as dots over the days, for a look and not for a reading: the table has the numbers.

use delivery::deploys::{Deploy, What};
use jiff::Timestamp;
use maud::{Markup, html};

use super::span;

const WIDTH: i64 = 600;
const HEIGHT: i64 = 120;
/// Room for what the axes say.
const LEFT: i64 = 60;
const BOTTOM: i64 = 20;
const MOST: usize = 100;

pub fn plot(deploys: &[Deploy]) -> Markup {
    let lead = |deploy: &Deploy| {
        let source = deploy.source.as_ref().filter(|_| deploy.what == What::Bump)?;
        Some((deploy.at, (deploy.at.as_second() - source.at.as_second()).max(0)))
    };
    let times: Vec<(Timestamp, i64)> = deploys.iter().filter_map(lead).take(MOST).collect();
    let (Some(newest), Some(oldest)) = (times.first(), times.last()) else { return html! {} };
    if times.len() < 2 {
        return html! {};
    }
    let longest = times.iter().map(|(_, seconds)| *seconds).max().unwrap_or(1).max(1);
    let all = (newest.0.as_second() - oldest.0.as_second()).max(1);
    let x = |at: Timestamp| LEFT + 10 + (at.as_second() - oldest.0.as_second()) * (WIDTH - LEFT - 20) / all;
    let y = |seconds: i64| 10 + (longest - seconds) * (HEIGHT - BOTTOM - 20) / longest;
    let said = format!("Lead times of {} deployments, the longest {}", times.len(), span(longest));
    html! {
        svg .plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(said) {
            line x1=(LEFT) y1=(HEIGHT - BOTTOM) x2=(WIDTH) y2=(HEIGHT - BOTTOM) {}
            line x1=(LEFT) y1="0" x2=(LEFT) y2=(HEIGHT - BOTTOM) {}
            text x="0" y=(y(longest) + 4) { (span(longest)) }
            text x="0" y=(HEIGHT - BOTTOM + 4) { "0 s" }
            text x=(LEFT) y=(HEIGHT - 4) { (oldest.0.strftime("%F")) }
            text x=(WIDTH) y=(HEIGHT - 4) text-anchor="end" { (newest.0.strftime("%F")) }
            @for (at, seconds) in &times { circle cx=(x(*at)) cy=(y(*seconds)) r="3" {} }
        }
    }
}
