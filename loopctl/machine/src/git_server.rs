//! The git server: what GitHub is to the repository, with the loop's branch on it.
//!
//! Everybody on this machine and in its pods may read; a push needs the password, because it runs
//! the pushed workflow as root. What a push starts is decided in `workflow/rules.rs`.

pub mod hook;
pub mod http;
pub mod push;

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::{Context, Result};

use super::addresses::{BRIDGE_ADDRESS, GIT_PORT};
use super::bare::{self, folder};
use super::processes::{self, Process};
use super::workflow::{containers, runs, tools};
use super::{Part, Place, cgroups, mounts, shell};

pub struct GitServer;

impl Part for GitServer {
    fn name(&self) -> &'static str {
        "git"
    }

    fn does(&self) -> &'static str {
        "takes pushes, and runs the workflow for those to master"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["registry"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        tools::install(place)?;
        containers::settle(place)?;
        make_repository(place)?;
        // Who pushes with git itself reads it from its file.
        place.secret("git-password")?;
        let process = Process::new(processes::own_copy(place)?)
            .arg("git-server")
            .env("LOOPCTL_STATE", place.state.display().to_string());
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        TcpStream::connect((BRIDGE_ADDRESS, GIT_PORT)).context("it does not accept connections")?;
        Ok(())
    }

    fn stop(&self, place: &Place) -> Result<()> {
        processes::stop(place, self.name())?;
        cgroups::end("parts/workflow")?;
        cgroups::end("containers")?;
        for run in runs::unfinished(place)? {
            run.end(place, runs::Conclusion::Cancelled, "the loop was taken down")?;
        }
        // What a build that was killed had mounted, and the half-made image it was working on.
        mounts::release(&place.cache.join("images"))?;
        if place.cache.join("images").exists() {
            shell::run(place.buildah()?.args(["rm", "--all"]))?;
            containers::tidy_images(place)?;
        }
        mounts::release(&containers::runtime_folder())?;
        for folder in [containers::runtime_folder(), containers::podman_memory(place)] {
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
        Ok(())
    }
}

fn make_repository(place: &Place) -> Result<()> {
    place.folder("git")?;
    let (folder, branch) = (folder(place)?, place.repository()?.branch_name());
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    shell::run(
        Command::new("git").args(["init", "--quiet", "--bare"]).arg(format!("--initial-branch={branch}")).arg(&folder),
    )?;
    for (name, value) in [
        // A run asks for its own commit, which need not be the newest any more.
        ("uploadpack.allowAnySHA1InWant", "true"),
        // Pushing is for those whom the server has let in.
        ("http.receivepack", "true"),
        // A folder of hooks that the user has set for all of their repositories is not for this one.
        ("core.hooksPath", "hooks"),
        // In the middle of a push is no time to tidy up.
        ("receive.autogc", "false"),
    ] {
        bare::git(place)?.args(["config", name, value]).status().context("cannot run git")?;
    }
    let hook = folder.join("hooks/post-receive");
    fs::create_dir_all(folder.join("hooks"))?;
    fs::write(&hook, "#!/bin/sh\nexec \"${LOOPCTL:?this repository takes pushes over HTTP only}\" post-receive\n")?;
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).context("cannot make the hook executable")
}
