//! A cluster and a registry on a port of this machine, which answer what a test gives them and remember what was asked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

/// What is answered to `METHOD path`; everything else is not found.
type Answers = BTreeMap<String, Value>;

#[derive(Clone)]
struct Server {
    answers: Arc<Answers>,
    written: Arc<Mutex<Vec<(String, Value)>>>,
}

pub struct ApiServer {
    pub address: String,
    server: Server,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

/// Whom the registry lets in.
pub const USER: &str = "octo";
pub const TOKEN: &str = "the-right-token";

impl ApiServer {
    pub fn start(answers: &[(&str, Value)]) -> Self {
        let answers = answers.iter().map(|(request, answer)| ((*request).to_owned(), answer.clone())).collect();
        let server = Server { answers: Arc::new(answers), written: Arc::default() };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let router = Router::new().fallback(answer).with_state(server.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        });
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).expect("a kubeconfig");
        Self { address, server, runtime, folder }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Each request that writes, with what it sent; the server ends with it.
    pub fn written(self) -> Vec<(String, Value)> {
        self.runtime.shutdown_background();
        self.server.written.lock().map(|written| written.clone()).unwrap_or_default()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    if path.starts_with("/v2/") && !is_known(&parts.headers) {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"registry\"")];
        return (StatusCode::UNAUTHORIZED, ask, json!({"errors": [{"code": "UNAUTHORIZED"}]}).to_string())
            .into_response();
    }
    let sent: Bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let asked = format!("{method} {path}");
    if matches!(method, "PATCH" | "POST" | "PUT" | "DELETE")
        && let Ok(mut written) = server.written.lock()
    {
        written.push((asked.clone(), serde_json::from_slice(&sent).unwrap_or_default()));
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    match server.answers.get(&asked) {
        Some(Value::String(digest)) => (StatusCode::OK, [("docker-content-digest", digest.as_str())]).into_response(),
        Some(answer) => (json, answer.to_string()).into_response(),
        None if path.starts_with("/v2/") => {
            let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]});
            (StatusCode::NOT_FOUND, json, unknown.to_string()).into_response()
        }
        None => {
            let status =
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"});
            (StatusCode::NOT_FOUND, json, status.to_string()).into_response()
        }
    }
}

fn is_known(headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{TOKEN}")));
    headers.get(header::AUTHORIZATION).is_some_and(|given| given.as_bytes() == expected.as_bytes())
}
