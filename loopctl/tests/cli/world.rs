//! A small world for the commands that look at a cluster: a repository, and one HTTP server that plays the API server,
//! the registry and the service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::LOOPCTL;

pub const APPLICATION: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/service";
pub const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/service/deployments/service";
pub const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/service/replicasets";
pub const PODS: &str = "/api/v1/namespaces/service/pods";
pub const EVENTS: &str = "/api/v1/namespaces/service/events";
pub const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/service/endpointslices";
/// Argo CD's own parts.
const PARTS: [&str; 2] =
    ["/apis/apps/v1/namespaces/argocd/deployments", "/apis/apps/v1/namespaces/argocd/statefulsets"];

type Objects = Arc<Mutex<BTreeMap<String, (u16, String)>>>;

pub struct World {
    folder: TempDir,
    port: u16,
    objects: Objects,
    /// Commits and what they are called in a transcript.
    names: Vec<(String, String)>,
    _runtime: tokio::runtime::Runtime,
}

/// Minutes after noon, so that the times in a snapshot are easy to follow.
fn date(minute: u32) -> String {
    format!("2026-01-01T12:{minute:02}:00Z")
}

impl World {
    /// One commit named "first" with the tag from before any build, pushed.
    pub fn new() -> Self {
        let objects = Objects::default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&objects));
        runtime.spawn(async move { axum::serve(listener, app).await });
        let mut world = Self {
            folder: TempDir::new().expect("a temporary folder"),
            port,
            objects,
            names: Vec::new(),
            _runtime: runtime,
        };
        world.found();
        world
    }

    fn found(&mut self) {
        let remote = self.path("owner/name.git");
        std::fs::create_dir_all(&remote).expect("a folder");
        git(&remote, 0, &["init", "--quiet", "--bare", "--initial-branch=master"]);
        let clone = self.path("clone");
        std::fs::create_dir_all(&clone).expect("a folder");
        git(&clone, 0, &["init", "--quiet", "--initial-branch=master"]);
        git(&clone, 0, &["remote", "add", "origin", &remote.display().to_string()]);
        self.write("argocd/application.yaml", &format!(
            "metadata: {{name: service, namespace: argocd}}\nspec:\n  project: service\n  source: {{repoURL: {}, targetRevision: master, path: k8s}}\n",
            remote.display()
        ));
        self.write("k8s/service.yaml", "metadata: {name: service}\nspec: {ports: [{nodePort: 30800}]}\n");
        self.write("src/main.rs", "fn main() {}\n");
        self.tag("sha-0000000", "");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: fake\nclusters: [{{name: fake, cluster: {{server: 'http://127.0.0.1:{}'}}}}]\n\
             users: [{{name: fake, user: {{}}}}]\ncontexts: [{{name: fake, context: {{cluster: fake, user: fake}}}}]\n",
            self.port
        );
        std::fs::write(self.path("kubeconfig"), kubeconfig).expect("a kubeconfig");
        for list in [REPLICA_SETS, PODS, EVENTS, SLICES, "/api/v1/nodes"].into_iter().chain(PARTS) {
            self.put(list, &json!({"items": [], "metadata": {}}));
        }
        self.put("/v2/", &json!({}));
        let service = json!({"metadata": {"name": "service"}, "spec": {"selector": {"app": "service"},
                "ports": [{"port": 80, "nodePort": self.port}]}});
        self.put("/api/v1/namespaces/service/services/service", &service);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn image(&self, tag: &str) -> String {
        format!("127.0.0.1:{}/owner/name:{tag}", self.port)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path("clone").join(path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Writes k8s/deployment.yaml; the annotations are YAML's.
    pub fn tag(&self, tag: &str, annotations: &str) {
        self.write("k8s/deployment.yaml", &format!(
            "metadata: {{name: service, namespace: service, annotations: {{{annotations}}}}}\nspec:\n  selector: {{matchLabels: {{app: service}}}}\n  \
             template:\n    spec:\n      containers:\n        - name: service\n          image: {}\n",
            self.image(tag)
        ));
    }

    /// What the delivery's contract asks of the service, in the manifest that [`World::tag`] has written.
    pub fn probe(&self, path: &str) {
        let manifest = self.path("clone").join("k8s/deployment.yaml");
        let text = std::fs::read_to_string(manifest).expect("the manifest is written");
        let probe = format!("          readinessProbe: {{httpGet: {{path: {path}, port: 8080}}}}\n");
        self.write("k8s/deployment.yaml", &(text + &probe));
    }

    /// Commits all that was written and pushes it; the name stands for the commit in transcripts.
    pub fn push(&mut self, name: &str, minute: u32, subject: &str) -> String {
        let clone = self.path("clone");
        git(&clone, minute, &["add", "--all"]);
        git(&clone, minute, &["commit", "--quiet", "--allow-empty", "--message", subject]);
        git(&clone, minute, &["push", "--quiet", "origin", "HEAD:master"]);
        let id = git(&clone, minute, &["rev-parse", "HEAD"]).trim().to_owned();
        self.names.push((id.clone(), name.to_owned()));
        id
    }

    pub fn put(&self, path: &str, object: &Value) {
        self.put_with(path, 200, &object.to_string());
    }

    pub fn put_with(&self, path: &str, status: u16, body: &str) {
        self.objects.lock().expect("nobody panicked").insert(path.to_owned(), (status, body.to_owned()));
    }

    /// What is there at the first look; at all later ones it is what [`World::put`] has put.
    pub fn put_at_first(&self, path: &str, object: &Value) {
        self.put(&format!("at first {path}"), object);
    }

    /// What the Application is once somebody has asked for a refresh.
    pub fn put_after_refresh(&self, object: &Value) {
        self.put("after refresh", object);
    }

    pub fn push_image(&self, tag: &str) {
        self.put(&format!("/v2/owner/name/manifests/{tag}"), &json!({"digest": format!("sha256:{}", "a".repeat(64))}));
    }

    pub fn loopctl(&self, arguments: &[&str]) -> Output {
        self.loopctl_with(Some("kubeconfig"), arguments)
    }

    /// KUBECONFIG names a file of this world, or is not set.
    fn loopctl_with(&self, kubeconfig: Option<&str>, arguments: &[&str]) -> Output {
        // A command that waits for what will never come fails the test instead of holding it up.
        let mut loopctl = Command::new("timeout");
        loopctl
            .args(["30", LOOPCTL])
            .args(arguments)
            .stdin(Stdio::null())
            .current_dir(self.path("clone"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("LOOPCTL_STATE", self.path("state"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .envs(kubeconfig.map(|name| ("KUBECONFIG", self.path(name))))
            .output()
            .expect("loopctl can be run")
    }

    /// Exit code and everything said, with names for what differs from run to run.
    pub fn transcript(&self, arguments: &[&str]) -> String {
        self.transcript_with(Some("kubeconfig"), arguments)
    }

    pub fn transcript_with(&self, kubeconfig: Option<&str>, arguments: &[&str]) -> String {
        let output = self.loopctl_with(kubeconfig, arguments);
        let code = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let mut text =
            format!("exit code: {code}\n--- stdout\n{}\n--- stderr\n{}\n", said(&output.stdout), said(&output.stderr));
        for (id, name) in &self.names {
            text = text.replace(id, &format!("<{name}>")).replace(&id[..7], &format!("<{name}>"));
        }
        text.replace(&self.folder.path().display().to_string(), "FOLDER").replace(&self.port.to_string(), "PORT")
    }
}

fn git(folder: &Path, minute: u32, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(folder).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "somebody").env(format!("GIT_{who}_EMAIL"), "somebody@localhost");
        git.env(format!("GIT_{who}_DATE"), date(minute));
    }
    let output = git.output().expect("git can be run");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn answer(State(objects): State<Objects>, request: Request) -> Response {
    let mut objects = objects.lock().expect("nobody panicked");
    let path = request.uri().path().to_owned();
    if request.method() == Method::PATCH
        && let Some(after) = objects.remove("after refresh")
    {
        objects.insert(path.clone(), after);
    }
    let missing = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "not found", "reason": "NotFound", "code": 404});
    let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]});
    let missing = if path.starts_with("/v2/") { unknown } else { missing };
    let at_first = objects.remove(&format!("at first {path}"));
    let (status, body) = at_first.or_else(|| objects.get(&path).cloned()).unwrap_or((404, missing.to_string()));
    let digest = serde_json::from_str::<Value>(&body).ok().and_then(|body| body["digest"].as_str().map(str::to_owned));
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = (status, [("content-type", "application/json")], body).into_response();
    if let Some(digest) = digest.filter(|_| path.starts_with("/v2/")) {
        response.headers_mut().insert("docker-content-digest", digest.parse().expect("a digest"));
    }
    response
}
