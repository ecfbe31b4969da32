//! An answer for a person: a line a hop, the reasons below it, and one sentence at the end.

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use delivery::coordinates::short;
use delivery::journey::answer::{Answer as Whereabouts, Hop, HopState, State};

use crate::output::Answer;
use crate::output::style::{BAD, BOLD, BUSY, DIM, GOOD, paint};
use crate::text::plain;

impl Answer for Whereabouts {
    fn text(&self) -> String {
        let mut lines = vec![format!("{} {}", paint(BOLD, short(&self.commit)), plain::line(&self.subject))];
        for hop in &self.hops {
            lines.push(line(hop, &TimeZone::system()));
            // What the whole answer says is said at its end.
            lines.extend(reasons(hop).filter(|reason| reason.trim_start() != plain::line(&self.summary)));
        }
        lines.push(paint(color_of(self.state), &end(self)));
        lines.join("\n")
    }
}

/// The summary, without the reason that stands above it.
pub fn end(answer: &Whereabouts) -> String {
    let told = answer.hops.iter().filter_map(|hop| hop.reason.first());
    let without = told.filter_map(|reason| answer.summary.strip_suffix(reason)?.strip_suffix(": ")).next_back();
    plain::line(without.unwrap_or(&answer.summary))
}

/// The state first, in a word: colours are not always there.
pub fn line(hop: &Hop, zone: &TimeZone) -> String {
    let at = hop.at.map(|at| clock(at, zone)).unwrap_or_default();
    let seconds = hop.seconds.map(|seconds| format!("+{}", duration(seconds))).unwrap_or_default();
    let state = paint(color(hop.state), &format!("{:<8}", hop.state.word()));
    let line = format!("  {state} {:<10} {at:<19} {seconds:>8}  {}", hop.hop, plain::line(&hop.detail));
    line.trim_end().to_owned()
}

fn reasons(hop: &Hop) -> impl Iterator<Item = String> {
    let lines = hop.reason.iter().flat_map(|reason| reason.lines());
    lines.map(|reason| format!("{:23}{}", "", plain::line(reason)))
}

fn color(state: HopState) -> Style {
    match state {
        HopState::Done => GOOD,
        HopState::Moving => BUSY,
        HopState::Stuck | HopState::Failed => BAD,
        HopState::Skipped | HopState::Waiting | HopState::Unseen => DIM,
    }
}

fn color_of(state: State) -> Style {
    match state {
        State::Live => GOOD,
        State::Stuck | State::Failed | State::Held => BAD,
        State::Moving | State::Superseded | State::NotPushed | State::Unknown => BUSY,
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds up to two minutes, then what is read more easily.
fn duration(seconds: i64) -> String {
    match seconds {
        ..=120 => format!("{seconds} s"),
        121..=7200 => format!("{} min", seconds / 60),
        7201..=172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

/// Lines for a log: each hop once in each state that it was seen in.
#[derive(Default)]
pub struct Changes {
    seen: Vec<(&'static str, HopState, String)>,
}

impl Changes {
    pub fn lines(&mut self, answer: &Whereabouts) -> Vec<String> {
        let mut lines = Vec::new();
        for hop in &answer.hops {
            let now = (hop.hop, hop.state, format!("{}{}", hop.detail, hop.reason.first().map_or("", String::as_str)));
            if matches!(hop.state, HopState::Waiting | HopState::Skipped) || self.seen.contains(&now) {
                continue;
            }
            self.seen.retain(|(name, _, _)| *name != hop.hop);
            self.seen.push(now);
            lines.push(line(hop, &TimeZone::system()));
            lines.extend(reasons(hop));
        }
        lines
    }
}
