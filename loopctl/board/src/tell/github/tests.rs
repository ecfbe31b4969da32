//! The statuses at a played GitHub, which is strict about rights and shapes, and may be down.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::*;
use crate::page::tests::{row, shop};

const TOKEN: &str = "a token with statuses and deployments";

/// What GitHub keeps, and what it is to answer next.
#[derive(Default)]
struct Played {
    statuses: Vec<(String, Value)>,
    deployments: Vec<(String, Vec<Value>)>,
    asked: usize,
    down: Option<(u16, &'static str)>,
}

type Shared = Arc<Mutex<Played>>;

async fn answer(Extract(played): Extract<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let mut played = played.lock().expect("nobody panics");
    played.asked += 1;
    if let Some((code, header)) = played.down {
        let code = StatusCode::from_u16(code).expect("a code");
        return match header {
            "" => code.into_response(),
            seconds => (code, [("retry-after", seconds)]).into_response(),
        };
    }
    let said = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    if said != Some(&format!("Bearer {TOKEN}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let words: Vec<&str> = path.trim_start_matches("/repos/acme/shop/").split('/').collect();
    let listed = |values: Vec<Value>| Value::from(values).to_string().into_response();
    match (parts.method.as_str(), words.as_slice()) {
        ("POST", ["statuses", commit]) => {
            let state = body["state"].as_str().unwrap_or_default();
            let is_good = ["error", "failure", "pending", "success"].contains(&state)
                && body["description"].as_str().is_some_and(|text| text.chars().count() <= 140)
                && body["context"] == "delivery/shop";
            if !is_good {
                return (StatusCode::UNPROCESSABLE_ENTITY, body.to_string()).into_response();
            }
            played.statuses.push(((*commit).to_owned(), body));
            (StatusCode::CREATED, "{}").into_response()
        }
        ("GET", ["commits", commit, "statuses"]) => {
            let own = played.statuses.iter().rev().filter(|(of, _)| of == commit);
            listed(own.map(|(_, status)| status.clone()).collect())
        }
        ("POST", ["deployments"]) => {
            played.deployments.push((body["ref"].as_str().unwrap_or_default().to_owned(), Vec::new()));
            (StatusCode::CREATED, json!({"id": played.deployments.len()}).to_string()).into_response()
        }
        ("GET", ["deployments"]) => {
            let query = parts.uri.query().unwrap_or_default();
            let place = played.deployments.iter().position(|(of, _)| query == format!("sha={of}&environment=shop"));
            listed(place.map(|place| json!({"id": place + 1})).into_iter().collect())
        }
        ("POST", ["deployments", id, "statuses"]) => {
            let id: usize = id.parse().expect("an id");
            played.deployments[id - 1].1.push(body);
            (StatusCode::CREATED, "{}").into_response()
        }
        ("GET", ["deployments", id, "statuses"]) => {
            let id: usize = id.parse().expect("an id");
            listed(played.deployments[id - 1].1.iter().rev().cloned().collect())
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

struct World {
    played: Shared,
    address: String,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let played = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&played));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("it is written");
        Self { played, address, folder }
    }

    fn github(&self) -> GitHub {
        GitHub::new(&self.address, self.folder.path().join("token"), String::new()).expect("there is a token")
    }

    fn statuses(&self) -> Vec<String> {
        let played = self.played.lock().expect("nobody panics");
        played
            .statuses
            .iter()
            .map(|(commit, status)| format!("{} {}", &commit[..1], status["state"].as_str().unwrap_or_default()))
            .collect()
    }

    fn deployments(&self) -> Vec<String> {
        let played = self.played.lock().expect("nobody panics");
        let states =
            |states: &[Value]| states.iter().filter_map(|state| state["state"].as_str()).collect::<Vec<_>>().join(",");
        played.deployments.iter().map(|(commit, said)| format!("{} {}", &commit[..1], states(said))).collect()
    }

    fn is(&self, down: Option<(u16, &'static str)>) {
        self.played.lock().expect("nobody panics").down = down;
    }
}

fn services(rows: Vec<Row>) -> Vec<Arc<Service>> {
    vec![Arc::new(Service { rows, ..shop() })]
}

async fn told(github: &mut GitHub, rows: Vec<Row>) -> bool {
    github.tell(&services(rows)).await.is_ok()
}

#[tokio::test]
async fn each_change_is_said_once_on_its_own_commit_and_not_again_after_a_restart() {
    let world = World::new().await;
    let mut github = world.github();
    let old = || row('1', "Before", State::Superseded);
    let rows = |state| vec![row('2', "Greet", state), old()];
    assert!(told(&mut github, rows(State::Moving)).await);
    assert!(told(&mut github, rows(State::Moving)).await);
    assert_eq!(world.statuses(), ["2 pending"], "of what was settled before, nothing is said");
    assert!(told(&mut github, rows(State::Unknown)).await, "nothing is known, so nothing is said");
    assert!(told(&mut github, rows(State::Stuck)).await);
    assert!(told(&mut github, rows(State::Live)).await);
    let mut restarted = world.github();
    assert!(told(&mut restarted, rows(State::Live)).await);
    assert_eq!(world.statuses(), ["2 pending", "2 error", "2 success"]);
    assert_eq!(world.deployments(), ["2 in_progress,failure,success"]);

    let newer = |state, before| vec![row('3', "Greet again", state), row('2', "Greet", before), old()];
    assert!(told(&mut restarted, newer(State::Failed, State::Live)).await);
    assert!(told(&mut restarted, newer(State::Held, State::Live)).await);
    assert!(told(&mut restarted, newer(State::Live, State::Superseded)).await);
    assert_eq!(world.statuses()[3..], ["3 failure", "3 pending", "3 success", "2 success"]);
    assert_eq!(world.deployments(), ["2 in_progress,failure,success,inactive", "3 failure,in_progress,success"]);
}

#[tokio::test]
async fn an_outage_and_a_limit_lose_nothing_and_repeat_nothing() {
    let world = World::new().await;
    let mut github = world.github();
    let rows = |state| vec![row('2', "Greet", state)];
    for down in [(503, ""), (429, "7"), (403, "9")] {
        world.is(Some(down));
        let refused = github.tell(&services(rows(State::Moving))).await.expect_err("it is down");
        assert_eq!(refused.0.map(|pause| pause.as_secs().to_string()).unwrap_or_default(), down.1, "{}", refused.1);
    }
    assert!(world.statuses().is_empty());
    world.is(None);
    assert!(told(&mut github, rows(State::Moving)).await);
    world.is(Some((500, "")));
    assert!(!told(&mut github, rows(State::Live)).await);
    world.is(None);
    assert!(told(&mut github, rows(State::Live)).await);
    assert_eq!(world.statuses(), ["2 pending", "2 success"]);
}

#[tokio::test]
async fn a_token_without_the_right_is_told_about_and_tried_no_more_until_something_changes() {
    let world = World::new().await;
    std::fs::write(world.folder.path().join("token"), "another").expect("it is written");
    let mut github = world.github();
    assert!(told(&mut github, vec![row('2', "Greet", State::Moving)]).await);
    assert!(world.statuses().is_empty());
    std::fs::write(world.folder.path().join("token"), TOKEN).expect("it is written");
    assert!(told(&mut github, vec![row('2', "Greet", State::Live)]).await);
    assert_eq!(world.statuses(), ["2 success"], "a token that was renewed is read anew");
}
