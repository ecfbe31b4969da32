//! A made service as the page shows it.

use delivery::deploys::dora::dora;
use delivery::deploys::{Deploy, Source, What};
use delivery::journey::answer::{Answer, Hop, HopState, State};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::seen::{Hold, Live, Row, Unseen};

pub fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(29_000_000 + minutes)
}

fn hop(name: &'static str, state: HopState, minutes: Option<i64>) -> Hop {
    Hop { seconds: minutes.map(|_| 61), ..Hop::new(name, state, "").at(minutes.map(at)) }
}

/// A commit with that digit, in that state.
pub fn row(digit: char, subject: &str, state: State) -> Row {
    let of_pods = match state {
        State::Live => HopState::Done,
        State::Failed => HopState::Failed,
        State::Stuck => HopState::Stuck,
        State::Moving => HopState::Moving,
        _ => HopState::Skipped,
    };
    let mut hops = vec![
        hop("pushed", HopState::Done, Some(0)),
        hop("built", HopState::Done, Some(1)),
        hop("image", HopState::Done, Some(2)),
        hop("bump", HopState::Done, Some(3)),
        hop("seen", HopState::Done, Some(4)),
        hop("synced", HopState::Done, Some(5)),
        hop("pods", of_pods, (of_pods == HopState::Done).then_some(6)),
        hop("answering", if of_pods == HopState::Done { HopState::Done } else { HopState::Waiting }, None),
    ];
    hops[2].detail = format!("sha-{0}{0} is sha256:0123", digit.to_string().repeat(3));
    if state == State::Failed {
        hops[6].reason = vec!["Error in pod shop-1: exit code 64".into(), "| <script>alert(1)</script>".into()];
    }
    let answer = Answer {
        service: "shop".into(),
        commit: digit.to_string().repeat(40),
        subject: subject.into(),
        merged_by: None,
        state,
        summary: format!("{} is {}", digit.to_string().repeat(7), state.word()),
        superseded_by: None,
        hops,
    };
    Row {
        answer,
        author: "Ann".into(),
        at: at(0),
        wanted: Some((at(3), None)),
        commands: vec![format!("cargo loopctl where {}", digit.to_string().repeat(7))],
        diff: Some("https://github.com/acme/shop/commit/1".into()),
    }
}

pub fn moving(subject: &str) -> Row {
    row('3', subject, State::Moving)
}

pub fn shop() -> Service {
    let source = Some(Source { commit: "1".repeat(40), subject: "Greet".into(), at: at(-10) });
    let deploy = |what, tag: &str, minutes, bad: Option<&str>| Deploy {
        what,
        commit: "9".repeat(40),
        subject: "Roll back to sha-1111111".into(),
        at: at(minutes),
        tag: format!("sha-{tag}"),
        until: None,
        source: source.clone(),
        bad: bad.map(str::to_owned),
    };
    let deploys = vec![
        deploy(What::Rollback, "1111111", 8, Some("2222222")),
        deploy(What::Bump, "2222222", 5, None),
        deploy(What::Bump, "1111111", 0, None),
    ];
    Service {
        name: "shop".into(),
        cluster: "https://127.0.0.1:6443".into(),
        repository: "https://github.com/acme/shop.git".into(),
        branch: "main".into(),
        live: Some(Live {
            tag: "sha-1111111".into(),
            commit: Some("1".repeat(40)),
            subject: Some("Greet".into()),
            since: Some(at(8)),
            pods: "2 of 2 pods".into(),
            answers: Ok("http://127.0.0.1:30800 answers sha-1111111".into()),
            but: None,
        }),
        hold: Some(Hold {
            bad: "2222222".into(),
            reason: "It answers 500".into(),
            since: at(8),
            command: "cargo loopctl resume".into(),
        }),
        unseen: vec![Unseen { who: "registry", why: "cannot reach the registry ghcr.io".into() }],
        rows: vec![
            row('3', "Add a route", State::Moving),
            row('2', "Break <b>everything</b>", State::Failed),
            row('1', "Greet", State::Live),
        ],
        dora: Some(dora(&deploys, at(60))),
        deploys,
    }
}

#[test]
fn the_page_has_all_that_is_known_and_is_complete_without_a_script() {
    insta::assert_snapshot!("page", page(&[&shop()], "1-1").replace("><", ">\n<"));
}

#[test]
fn what_comes_from_outside_stays_in_its_cell() {
    let html = page(&[&shop()], "1-1");
    assert!(!html.contains("<script>alert") && !html.contains("<b>everything"), "it is markup now");
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("Break &lt;b&gt;everything&lt;/b&gt;")
    );
}

#[test]
fn stuck_and_failed_commits_stand_first_and_the_rest_by_age() {
    assert_eq!(order(&shop()), ["row-shop-2222222", "row-shop-3333333", "row-shop-1111111"]);
}

#[test]
fn thirty_rows_are_sixty_kilobytes_at_most() {
    let rows = (0..30).map(|at| {
        row(
            char::from_digit(at % 10, 10).unwrap_or('0'),
            &"A subject of the usual length ".repeat(2),
            State::Superseded,
        )
    });
    let html = page(&[&Service { rows: rows.collect(), ..shop() }], "1-1");
    println!("figures: a page of 30 rows has {} bytes", html.len());
    assert!(html.len() <= 60_000, "{} bytes", html.len());
}

#[test]
fn a_time_is_told_as_long_as_a_person_wants_to_know_it() {
    for (seconds, expected) in
        [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (200_000, "2 d")]
    {
        assert_eq!(span(seconds), expected);
    }
}
