//! A peer that answers something else would be measured at other work.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[path = "../../e2e/src/contract.rs"]
mod contract;

fn probe_path() -> &'static str {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(contract::MANIFEST);
    let manifest = std::fs::read_to_string(manifest).expect("the service has a manifest").leak();
    contract::probe_path(manifest).expect("the manifest has a readiness probe")
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_service_answers_what_every_peer_answers() {
    let (_service, answer) = answer_of(|address| {
        let mut command = Command::new(service());
        command.env("ARGO_RUST_LISTEN", address.to_string()).env("ARGO_RUST_METRICS_LISTEN", "127.0.0.1:0");
        command
    });
    let expected = body(&answer).to_owned();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), &answer).expect("the temporary file is writable");
    let check = |peer: &str, arguments: &[&str]| {
        let (_peer, answer) = answer_of(|address| {
            let mut command = Command::new(peer);
            command.arg(address.to_string()).args(arguments);
            command
        });
        assert_eq!(body(&answer), expected, "{peer} answers {answer}");
        answer
    };
    let limit = check(env!("CARGO_BIN_EXE_epoll"), &[file.path().to_str().expect("the file's name is text")]);
    assert_eq!(limit.replace("connection: close\r\n", ""), answer.replace("connection: close\r\n", ""));
    for peer in [env!("CARGO_BIN_EXE_hyper"), env!("CARGO_BIN_EXE_actix"), env!("CARGO_BIN_EXE_axum")] {
        check(peer, &[probe_path(), &expected]);
    }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("no blank line", |(_, body)| body)
}

/// Starts it and asks once on a connection that ends with the answer.
fn answer_of(command: impl FnOnce(SocketAddr) -> Command) -> (Running, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound port has an address");
    drop(listener);
    let mut command = command(address);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts"));
    let connect = || TcpStream::connect(address).inspect_err(|_| sleep(Duration::from_millis(10)));
    let mut stream = (0..1000).find_map(|_| connect().ok()).expect("it listens within ten seconds");
    let request = format!("GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", probe_path());
    stream.write_all(request.as_bytes()).expect("it reads a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers text");
    (running, answer)
}

/// Built as the service's own tests build it, with the features that they add, so that it is there where those have run.
fn service() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--no-run", "--test=api", "--locked", "--message-format=json", "--manifest-path"])
        .arg(manifest);
    let output = command.stderr(Stdio::inherit()).output().expect("cargo starts");
    let messages = String::from_utf8(output.stdout).expect("cargo writes text");
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_program = message["target"]["kind"][0] == "bin" && message["profile"]["test"] == false;
        message["executable"].as_str().filter(|_| is_program).map(PathBuf::from)
    });
    executable.expect("cargo builds the service")
}
