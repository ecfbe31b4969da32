//! What a person meets who types `cargo loopctl`: help, refusals, and answers where there is no loop.
//!
//! Every test has a state folder of its own, so a loop that runs on this machine is neither seen
//! nor touched.

mod api_server;
mod delivered;
mod doctor;
mod documented;
mod help;
mod journey;
mod kubeconfig;
mod new;
mod pull_secret;
mod repository;
mod service;
mod steering;
mod without_a_loop;
mod world;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const LOOPCTL: &str = env!("CARGO_BIN_EXE_loopctl");

/// loopctl on a machine that has no loop.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    fn loopctl(&self, arguments: &[&str]) -> Output {
        Command::new(LOOPCTL)
            .args(arguments)
            .stdin(Stdio::null())
            .env("LOOPCTL_STATE", self.0.path().join("state"))
            .env("XDG_CACHE_HOME", self.0.path().join("cache"))
            .env("COLUMNS", "100")
            .output()
            .expect("loopctl can be run")
    }

    /// As somebody who may do nothing to the machine, whoever runs the tests.
    fn transcript_without_root(&self, arguments: &[&str]) -> String {
        // A copy, because the checkout may be in a folder that only its owner may enter.
        let folder = TempDir::new_in("/tmp").expect("a temporary folder can be made");
        let copy = folder.path().join("loopctl");
        std::fs::copy(LOOPCTL, &copy).expect("loopctl can be copied");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut command = Command::new(&copy);
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        command.args(arguments).current_dir("/").env("LOOPCTL_STATE", folder.path().join("state"));
        command.env("XDG_CACHE_HOME", folder.path().join("cache"));
        // A process that another test starts in this very moment holds the copy open for writing until it runs.
        for _ in 0..100 {
            match command.output() {
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                output => return self.describe(&output.expect("loopctl can be run")),
            }
        }
        panic!("the copy of loopctl stays busy");
    }

    /// Exit code and everything said, without what differs from machine to machine.
    fn transcript(&self, arguments: &[&str]) -> String {
        self.describe(&self.loopctl(arguments))
    }

    fn describe(&self, output: &Output) -> String {
        let code = output.status.code().map_or("ended by a signal".to_owned(), |code| code.to_string());
        let said = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(&self.0.path().display().to_string(), "FOLDER");
            text.trim_end().to_owned()
        };
        let (out, err) = (said(&output.stdout), said(&output.stderr));
        format!("exit code: {code}\n--- stdout\n{out}\n--- stderr\n{err}\n")
    }
}
