//! The board: where every commit is, on a page. It looks with the loop's own kubeconfig, at a clone of its own.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

use super::addresses::{BOARD_PORT, BRIDGE_ADDRESS};
use super::processes::{self, Process};
use super::{Part, Place};

pub struct Board;

impl Part for Board {
    fn name(&self) -> &'static str {
        "board"
    }

    fn does(&self) -> &'static str {
        "shows every commit by its hops"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["argocd", "git"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        // The service and its cluster come first.
        let process = Process::new("nice")
            .arg(processes::own_copy(place)?.display().to_string())
            .arg("board")
            .flag("listen", format!("{BRIDGE_ADDRESS}:{BOARD_PORT}"))
            .flag("host", BRIDGE_ADDRESS)
            .flag("clone", place.repository()?.url())
            // Its clone goes with the loop, also where it was killed.
            .env("TMPDIR", place.folder("board")?.display().to_string())
            .env("KUBECONFIG", place.kubeconfig().display().to_string())
            .env("LOOPCTL_STATE", place.state.display().to_string());
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        TcpStream::connect((BRIDGE_ADDRESS, BOARD_PORT)).context("it does not accept connections")?;
        Ok(())
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(30)
    }
}

pub fn address() -> String {
    format!("http://{BRIDGE_ADDRESS}:{BOARD_PORT}")
}
