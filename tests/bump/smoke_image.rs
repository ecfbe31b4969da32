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
      case $argument in 127.0.0.1:*:8080) port=${argument#*:} && echo "${port%:*}" >"$state/port.new" ;; esac
    done
    mv "$state/port.new" "$state/port"
    echo the-container ;;
  inspect) case $3 in *User*) cat "$state/user" ;; *) cat "$state/running" ;; esac ;;
  kill) [ ! -e "$state/code" ] || cp "$state/code" "$state/exited" ;;
  wait) until [ -e "$state/exited" ]; do sleep 0.1; done; cat "$state/exited" ;;
  logs) echo "what the container said" ;;
esac
"#;

struct Container {
    user: &'static str,
    running: &'static str,
    hello: &'static str,
    fibonacci: &'static str,
    revision: &'static str,
    /// `None` when SIGTERM does not end it.
    exit_code: Option<&'static str>,
}

const GOOD: Container = Container {
    user: "65532:65532",
    running: "true",
    hello: r#"{"message":"Hello from argo-rust!"}"#,
    fibonacci: r#"{"n":10,"result":55}"#,
    revision: REVISION,
    exit_code: Some("0"),
};

struct Smoke {
    code: i32,
    printed: String,
    calls: String,
}

fn smoke(container: Container) -> Smoke {
    let folder = TempDir::new().unwrap();
    let state = folder.path().to_owned();
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
    let ended =
        Command::new(script("smoke-image")).args(["name@sha256:0", REVISION]).env("PATH", path).output().unwrap();
    fs::write(state.join("over"), "").unwrap();
    service.join().unwrap();
    Smoke {
        code: ended.status.code().unwrap(),
        printed: text(&ended.stdout) + &text(&ended.stderr),
        calls: fs::read_to_string(state.join("calls")).unwrap(),
    }
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
    let body = match head.first().and_then(|line| line.split(' ').nth(1)) {
        Some("/hello") => container.hello.to_owned(),
        Some("/fibonacci/10") => container.fibonacci.to_owned(),
        _ => format!(r#"{{"version":"0.1.0","revision":"{}"}}"#, container.revision),
    };
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    connection.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn a_good_image_passes_as_the_pod_would_run_it_and_is_removed() {
    let smoke = smoke(GOOD);
    assert_eq!(smoke.code, 0, "{}", smoke.printed);
    assert!(smoke.printed.ends_with(&format!("says revision {REVISION} and leaves on SIGTERM.")), "{}", smoke.printed);
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
        (Container { running: "false", ..GOOD }, "the container stopped before it answered"),
        (Container { hello: r#"{"message":"Hello"}"#, ..GOOD }, "/hello answered"),
        (Container { fibonacci: r#"{"n":10,"result":550}"#, ..GOOD }, "/fibonacci/10 answered"),
        (Container { revision, ..GOOD }, "/version answered"),
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
