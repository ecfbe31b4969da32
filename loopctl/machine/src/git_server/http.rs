//! Git over HTTP: git's own `http-backend`, behind a door that knows who may push.

use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::io::ReaderStream;

use super::hook::{PUSHER, PUSHING_RUN};
use crate::Place;
use crate::addresses::{BRIDGE_ADDRESS, GIT_PORT};
use crate::bare::{LOOK, root};
use crate::workflow::scheduler::Scheduler;
use crate::workflow::tokens;

/// How GitHub's own pushes sign; act cannot know it.
const BOT: &str = "github-actions[bot]";

struct Server {
    place: Place,
    scheduler: Arc<Scheduler>,
}

/// Who pushes, once the door has let them in.
struct Pusher {
    name: String,
    run: Option<u64>,
}

/// What the hidden command `git-server` does until it is ended.
pub fn serve(place: Place) -> Result<ExitCode> {
    let scheduler = Scheduler::new(Place::find()?);
    scheduler.look()?;
    let server = Arc::new(Server { place, scheduler });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((BRIDGE_ADDRESS, GIT_PORT))
            .await
            .with_context(|| format!("cannot listen on {BRIDGE_ADDRESS}:{GIT_PORT}"))?;
        println!("serving git on {BRIDGE_ADDRESS}:{GIT_PORT}");
        axum::serve(listener, Router::new().fallback(answer).with_state(server)).await.context("cannot serve git")
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let what = format!("{} {}", request.method(), request.uri());
    match git(&server, request).await {
        Ok(response) => response,
        Err(error) => {
            eprintln!("{what}: {error:#}");
            (StatusCode::INTERNAL_SERVER_ERROR, "the git server failed; its log says why\n").into_response()
        }
    }
}

async fn git(server: &Arc<Server>, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::POST && parts.uri.path() == LOOK {
        return look(server, &parts.headers).await;
    }
    // GitHub answers with and without the ending.
    let path = parts.uri.path().trim_start_matches('/');
    let slug = &server.place.repository()?.slug;
    let rest = path.strip_prefix(slug.as_str()).map(|rest| rest.strip_prefix(".git").unwrap_or(rest));
    let Some(rest) = rest.filter(|rest| matches!(*rest, "/info/refs" | "/git-upload-pack" | "/git-receive-pack"))
    else {
        return Ok((StatusCode::NOT_FOUND, format!("here is only {slug}\n")).into_response());
    };
    let query = parts.uri.query().unwrap_or_default();
    let pushes = rest == "/git-receive-pack" || query.contains("service=git-receive-pack");
    let pusher = if pushes { pusher(&server.place, &parts.headers)? } else { None };
    if pushes && pusher.is_none() {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"argo-rust loop\"")];
        return Ok((StatusCode::UNAUTHORIZED, ask, "a push needs the loop's password: use `cargo loopctl push`\n")
            .into_response());
    }

    let mut backend = backend(&server.place)?;
    backend.env("REQUEST_METHOD", parts.method.as_str()).env("QUERY_STRING", query);
    backend.env("PATH_INFO", format!("/{slug}.git{rest}"));
    for (variable, name) in [
        ("CONTENT_TYPE", "content-type"),
        ("CONTENT_LENGTH", "content-length"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("GIT_PROTOCOL", "git-protocol"),
    ] {
        if let Some(value) = parts.headers.get(name).and_then(|value| value.to_str().ok()) {
            backend.env(variable, value);
        }
    }
    if let Some(pusher) = &pusher {
        backend.env("REMOTE_USER", &pusher.name).env(PUSHER, &pusher.name);
        if let Some(run) = pusher.run {
            backend.env(PUSHING_RUN, run.to_string());
        }
    }
    let mut child = backend.spawn().context("cannot run git http-backend")?;
    let input = child.stdin.take().context("its input was asked for")?;
    // What git asks while it is still being told must not block, so a task of its own tells it.
    tokio::spawn(tell(body, input));
    relay(child, (rest == "/git-receive-pack").then(|| Arc::clone(&server.scheduler))).await
}

/// Starts what waits, for whoever may push; a run's own token is no leave for that.
async fn look(server: &Arc<Server>, headers: &HeaderMap) -> Result<Response> {
    if pusher(&server.place, headers)?.is_none_or(|pusher| pusher.run.is_some()) {
        return Ok((StatusCode::UNAUTHORIZED, "this needs the loop's password\n").into_response());
    }
    let scheduler = Arc::clone(&server.scheduler);
    tokio::task::spawn_blocking(move || scheduler.look()).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn backend(place: &Place) -> Result<Command> {
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root(place))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        // The repository belongs to whoever started the loop, whom git need not trust by default.
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("LOOPCTL", std::env::current_exe()?)
        .env("LOOPCTL_STATE", &place.state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    Ok(backend)
}

/// Who the user and password stand for; None when they stand for nobody.
fn pusher(place: &Place, headers: &HeaderMap) -> Result<Option<Pusher>> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let decoded = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, value)| String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok());
    let Some((name, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else { return Ok(None) };
    if let Some(run) = tokens::run_of(place, password)? {
        return Ok(Some(Pusher { name: BOT.to_owned(), run: Some(run) }));
    }
    if !tokens::same(&place.secret("git-password")?, password) {
        return Ok(None);
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let name: String = name.chars().filter(|letter| plain(*letter)).collect();
    Ok(Some(Pusher { name: if name.is_empty() { "developer".to_owned() } else { name }, run: None }))
}

async fn tell(body: Body, mut input: ChildStdin) {
    let mut body = body.into_data_stream();
    while let Some(chunk) = futures_util::StreamExt::next(&mut body).await {
        // git may have heard enough, or the client may be gone: git's answer says so.
        let Ok(chunk) = chunk else { return };
        if input.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// Passes on git's answer: first the headers, then whatever it has to say, while it says it.
async fn relay(mut child: Child, scheduler: Option<Arc<Scheduler>>) -> Result<Response> {
    let mut output = BufReader::new(child.stdout.take().context("its output was asked for")?);
    let mut response = Response::builder();
    loop {
        let mut line = String::new();
        if (&mut output).take(16_384).read_line(&mut line).await? == 0 {
            bail!("git http-backend ended ({}) without an answer", child.wait().await?);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').with_context(|| format!("git's header '{line}' has no colon"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            response = response.status(StatusCode::from_bytes(&value.as_bytes()[..value.len().min(3)])?);
        } else {
            response = response.header(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
    }
    tokio::spawn(async move {
        // Ended, it has run the hook, which has written down the runs that the push calls for.
        let ended = child.wait().await;
        let Some(scheduler) = scheduler else { return };
        let looked = tokio::task::spawn_blocking(move || scheduler.look()).await;
        match (ended, looked) {
            (Ok(_), Ok(Ok(()))) => {}
            (ended, looked) => eprintln!("after a push: git {ended:?}, runs {looked:?}"),
        }
    });
    Ok(response.body(Body::from_stream(ReaderStream::new(output)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::runs::{Conclusion, Outcome, Run};

    const FETCH: &str = "/voloshko/argo-rust.git/info/refs?service=git-upload-pack";
    const PUSH: &str = "/voloshko/argo-rust.git/info/refs?service=git-receive-pack";

    /// A loop that consists of its repository, in a folder that vanishes with it.
    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path()).expect("a place");
        super::super::make_repository(&place).expect("a repository");
        (folder, place)
    }

    fn check(place: &Place, path: &str, user: Option<(&str, &str)>, expected: u16) {
        let folder = place.state.parent().expect("the folder of the test");
        let here = || Place::below(folder).expect("a place");
        let server = Arc::new(Server { place: here(), scheduler: Scheduler::new(here()) });
        let method = if path == LOOK { Method::POST } else { Method::GET };
        let mut request = axum::http::Request::builder().method(method).uri(path);
        if let Some((name, password)) = user {
            let basic = BASE64_STANDARD.encode(format!("{name}:{password}"));
            request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let response = runtime.block_on(answer(State(server), request));
        assert_eq!(response.status().as_u16(), expected, "{path} as {user:?}");
    }

    #[test]
    fn everybody_may_read_and_only_who_knows_the_password_may_push() {
        let (_folder, place) = place();
        let password = place.secret("git-password").expect("a password");
        check(&place, FETCH, None, 200);
        check(&place, PUSH, None, 401);
        check(&place, PUSH, Some(("voloshko", "a guess")), 401);
        check(&place, PUSH, Some(("voloshko", "")), 401);
        check(&place, PUSH, Some(("voloshko", &password)), 200);
    }

    #[test]
    fn the_token_of_a_run_lets_it_push_until_it_has_ended() {
        let (_folder, place) = place();
        let run = Run::of(&place, 7);
        std::fs::create_dir_all(&run.folder).expect("the run's folder");
        let token = tokens::give(&place, &run).expect("a token");
        check(&place, PUSH, Some(("x-access-token", &token)), 200);
        let outcome = Outcome { conclusion: Conclusion::Success, reason: None, seconds: 1.0, steps: Vec::new() };
        run.close(&place, &outcome).expect("the run ends");
        check(&place, PUSH, Some(("x-access-token", &token)), 401);
    }

    #[test]
    fn only_a_person_with_the_password_may_have_a_run_started_again() {
        let (_folder, place) = place();
        let run = Run::of(&place, 7);
        std::fs::create_dir_all(&run.folder).expect("the run's folder");
        let token = tokens::give(&place, &run).expect("a token");
        let password = place.secret("git-password").expect("a password");
        check(&place, LOOK, None, 401);
        check(&place, LOOK, Some(("x-access-token", &token)), 401);
        check(&place, LOOK, Some(("developer", &password)), 204);
    }

    #[test]
    fn nothing_but_the_repository_is_served() {
        let (_folder, place) = place();
        check(&place, "/voloshko/argo-rust/info/refs?service=git-upload-pack", None, 200);
        check(&place, "/voloshko/argo-rust.git/config", None, 404);
        check(&place, "/voloshko/other.git/info/refs?service=git-upload-pack", None, 404);
        check(&place, "/", None, 404);
    }
}
