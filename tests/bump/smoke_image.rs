//! `smoke-image`, with a `docker` that stands in for the engine and a thread that stands in for the service.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::run::script;
use crate::world::text;

const REVISION: &str = "0123456789012345678901234567890123456789";

/// Keeps what it knows in files beside itself; `port` tells the service where to answer.
const DOCKER: &str = r#"#!/bin/sh
state=${0%/*}
echo "$*" >>"$state/calls"
case $1 in
  run)
    for argument; do
      case $argument in 127.0.0.1:*:*) port=${argument#*:} && echo "${port%:*}" >"$state/port.new" ;; esac
    done
    mv "$state/port.new" "$state/port"
    echo the-container ;;
  inspect) case $3 in *User*) cat "$state/user" ;; *) cat "$state/running" ;; esac ;;
  kill) [ ! -e "$state/code" ] || cp "$state/code" "$state/exited" ;;
  wait) until [ -e "$state/exited" ]; do sleep 0.1; done; cat "$state/exited" ;;
  logs) echo "what the container said" ;;
esac
"#;

/// Any service of this delivery: what it is for, the script does not know.
const MANIFEST: &str = "
kind: Deployment
metadata:
  name: any
spec:
  template:
    spec:
      containers:
        - name: any
          image: any:sha-0000000
          readinessProbe:
            httpGet:
              path: /healthz
              port: 3000
";

struct Container {
    user: &'static str,
    running: &'static str,
    /// What the probe's path is answered with.
    status: &'static str,
    revision: &'static str,
    tag: &'static str,
    /// `None` when SIGTERM does not end it.
    exit_code: Option<&'static str>,
}

const GOOD: Container = Container {
    user: "65532:65532",
    running: "true",
    status: "200 OK",
    revision: REVISION,
    tag: "sha-0123456",
    exit_code: Some("0"),
};

struct Smoke {
    code: i32,
    printed: String,
    calls: String,
}

fn smoke(container: Container) -> Smoke {
    smoke_with(MANIFEST, container, &[])
}

/// Runs the script in a repository with that manifest.
fn smoke_with(manifest: &str, container: Container, environment: &[(&str, &str)]) -> Smoke {
    let folder = TempDir::new().unwrap();
    let (repository, state) = (folder.path().join("repository"), folder.path().to_owned());
    fs::create_dir_all(repository.join("k8s")).unwrap();
    fs::create_dir_all(repository.join(".github/scripts")).unwrap();
    fs::write(repository.join("k8s/deployment.yaml"), manifest).unwrap();
    for name in ["smoke-image", "manifest.bash"] {
        fs::copy(script(name), repository.join(".github/scripts").join(name)).unwrap();
    }
    fs::write(state.join("docker"), DOCKER).unwrap();
    fs::set_permissions(state.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(state.join("user"), container.user).unwrap();
    fs::write(state.join("running"), container.running).unwrap();
    if let Some(code) = container.exit_code {
        fs::write(state.join("code"), code).unwrap();
    }
    let served = state.clone();
    let service = thread::spawn(move || serve(&served, &container));
    let path = format!("{}:{}", state.display(), std::env::var("PATH").unwrap());
    let ended = Command::new(repository.join(".github/scripts/smoke-image"))
        .args(["name@sha256:0", REVISION])
        .env("PATH", path)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    fs::write(state.join("over"), "").unwrap();
    service.join().unwrap();
    Smoke {
        code: ended.status.code().unwrap(),
        printed: text(&ended.stdout) + &text(&ended.stderr),
        calls: fs::read_to_string(state.join("calls")).unwrap_or_default(),
    }
}

/// The port and the path that are asked of a container with that manifest.
pub fn asked(manifest: &str) -> String {
    // It stopped at once, so that nothing is waited for.
    let smoke = smoke_with(manifest, Container { running: "false", ..GOOD }, &[]);
    let port = smoke.calls.split_once("--publish 127.0.0.1:").and_then(|(_, rest)| rest.split([':', ' ']).nth(1));
    let path = smoke.printed.split_once("the container stopped before it answered ");
    let path = path.and_then(|(_, rest)| rest.split(". ").next());
    let (Some(port), Some(path)) = (port, path) else { return smoke.printed };
    format!("{port} {path}")
}

/// Answers at the port that `docker run` was given, until the script is over.
fn serve(state: &Path, container: &Container) {
    let is_over = || state.join("over").exists();
    let wait = || thread::sleep(Duration::from_millis(5));
    let port = state.join("port");
    while !port.exists() && !is_over() {
        wait();
    }
    if container.running != "true" || is_over() {
        return;
    }
    let address = format!("127.0.0.1:{}", fs::read_to_string(port).unwrap().trim());
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    while !is_over() {
        match listener.accept() {
            Ok((connection, _)) => answer(connection, container),
            Err(_) => wait(),
        }
    }
}

fn answer(mut connection: TcpStream, container: &Container) {
    connection.set_nonblocking(false).unwrap();
    let head = BufReader::new(&connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: Vec<String> = head.collect();
    let version = format!(r#"{{"revision":"{}","image_tag":"{}"}}"#, container.revision, container.tag);
    let (status, body) = match head.first().and_then(|line| line.split(' ').nth(1)) {
        Some("/healthz") => (container.status, String::new()),
        Some("/version") => ("200 OK", version),
        _ => ("404 Not Found", String::new()),
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    connection.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn a_good_image_passes_as_the_pod_would_run_it_and_is_removed() {
    let smoke = smoke(GOOD);
    assert_eq!(smoke.code, 0, "{}", smoke.printed);
    let end = format!("answers /healthz, says revision {REVISION} and leaves on SIGTERM.");
    assert!(smoke.printed.ends_with(&end), "{}", smoke.printed);
    let run = smoke.calls.lines().next().unwrap();
    for option in ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"] {
        assert!(run.contains(option), "{run}");
    }
    assert!(!run.contains("--user"), "the image itself has to name the user: {run}");
    assert_eq!(smoke.calls.lines().last(), Some("rm --force the-container"));
}

#[test]
fn a_bad_image_is_refused_with_the_reason_and_the_log() {
    let revision = "9999999999999999999999999999999999999999";
    for (container, reason) in [
        (Container { user: "", ..GOOD }, "runs as user ''; set a numeric USER"),
        (Container { user: "root", ..GOOD }, "runs as user 'root'"),
        (Container { user: "0:0", ..GOOD }, "runs as user '0:0'"),
        (Container { user: "nobody", ..GOOD }, "runs as user 'nobody'"),
        (Container { running: "false", ..GOOD }, "the container stopped before it answered /healthz"),
        (Container { revision, ..GOOD }, "/version answered"),
        (Container { tag: "sha-9999999", ..GOOD }, "which should name revision 0123456"),
        (Container { exit_code: Some("7"), ..GOOD }, "exited with code 7 after SIGTERM, not 0"),
        (Container { exit_code: None, ..GOOD }, "still running 5 seconds after SIGTERM"),
    ] {
        let smoke = smoke(container);
        assert_eq!(smoke.code, 1, "{reason}: {}", smoke.printed);
        assert!(smoke.printed.contains(reason), "should say {reason:?}: {}", smoke.printed);
        assert!(smoke.printed.contains("what the container said"), "{}", smoke.printed);
        assert!(smoke.calls.ends_with("rm --force the-container\n"), "{}", smoke.calls);
    }
}

#[test]
fn an_image_whose_probe_does_not_succeed_is_refused_with_what_was_answered() {
    let smoke = smoke_with(MANIFEST, Container { status: "503 Unavailable", ..GOOD }, &[("SMOKE_SECONDS", "1")]);
    assert_eq!(smoke.code, 1, "{}", smoke.printed);
    assert!(smoke.printed.contains("no success from /healthz") && smoke.printed.contains("503"), "{}", smoke.printed);
}

#[test]
fn a_proxy_of_the_runner_is_not_asked_for_the_runner_itself() {
    // Nobody listens there, so whoever asks it gets no answer.
    let nowhere = "http://127.0.0.1:9";
    let proxies = [("http_proxy", nowhere), ("HTTP_PROXY", nowhere), ("ALL_PROXY", nowhere), ("no_proxy", "")];
    let smoke = smoke_with(MANIFEST, GOOD, &proxies);
    assert_eq!(smoke.code, 0, "{}", smoke.printed);
}

#[test]
fn a_manifest_without_a_probe_to_ask_is_refused_before_anything_is_started() {
    let smoke = smoke_with(&MANIFEST.replace("readinessProbe", "livenessProbe"), GOOD, &[]);
    assert_eq!((smoke.code, smoke.calls.as_str()), (1, ""), "{}", smoke.printed);
    assert!(smoke.printed.contains("line 9: this container has no readinessProbe with httpGet"), "{}", smoke.printed);
}
