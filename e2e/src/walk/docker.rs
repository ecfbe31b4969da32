//! A Docker engine for the walk: the one that runs on this machine, or Debian's in a folder of its own.
//!
//! Nothing of it stays but its store of layers below target/, which is to `make image` what it is for any reader who
//! has built before.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::reader::Reader;
use crate::{Loop, shell, target, wait};

/// What the Dockerfile begins with, under the names by which the loop's own base images are known.
const BASES: [&str; 2] = ["rust:1-slim", "debian:bookworm-slim"];
/// Docker's own would need iptables rules; published ports reach this one by docker-proxy alone.
const BRIDGE: &str = "walk-docker0";
const BRIDGE_ADDRESS: &str = "10.186.0.1/24";
/// What an engine leaves where nobody asked it to.
const LEFT: [&str; 5] = ["/run/docker", "/run/containerd", "/run/runc", "/etc/docker/key.json", "/etc/docker"];
const GROUPS: &str = "/sys/fs/cgroup";

/// Without a way out for containers, what `docker build` runs has to use the host's network.
const BUILDS_ON_THE_HOSTS_NETWORK: &str = r#"#!/bin/sh
if [ "$1" = build ]; then shift; set -- build --network=host "$@"; fi
PATH=${PATH#*:} exec docker "$@"
"#;

pub struct Docker {
    engine: Child,
    exec: PathBuf,
    /// What was not there before.
    new: Vec<PathBuf>,
}

/// Lets the reader have an engine; the answer has to be kept for as long as it is used. None where it is not ours, or
/// where there is none and the reader knows why.
pub fn provide(the_loop: &Loop, reader: &mut Reader) -> Result<Option<Docker>> {
    if answers(&mut Command::new("docker")) {
        reader.docker = Ok(());
        return Ok(None);
    }
    if !installed()? {
        reader.docker = Err("no Docker engine runs here, and E2E_INSTALL=1 did not ask for Debian's".to_owned());
        return Ok(None);
    }
    let socket = reader.home().join("docker.sock");
    let docker = Docker::start(the_loop, &socket, &reader.home().join("engine"))?;
    reader.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    let wrapper = reader.home().join("bin/docker");
    fs::write(&wrapper, BUILDS_ON_THE_HOSTS_NETWORK)?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    reader.prefer(&reader.home().join("bin"))?;
    for base in BASES {
        load(the_loop, &socket, base)?;
    }
    reader.docker = Ok(());
    Ok(Some(docker))
}

fn answers(docker: &mut Command) -> bool {
    docker.arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Whether Debian's engine is there, installed now if that was asked for.
fn installed() -> Result<bool> {
    let is_there = || Path::new("/usr/sbin/dockerd").exists();
    let may = env::var_os("E2E_INSTALL").is_some() || env::var("CI").is_ok_and(|ci| ci == "true");
    if !is_there() && may {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--quiet", "--no-install-recommends", "docker.io"]);
        shell::run(apt.env("DEBIAN_FRONTEND", "noninteractive"))
            .context("Debian's Docker engine cannot be installed")?;
    }
    Ok(is_there())
}

impl Docker {
    fn start(the_loop: &Loop, socket: &Path, exec: &Path) -> Result<Self> {
        let ip = |arguments: &[&str]| shell::run(Command::new("ip").args(arguments));
        drop(ip(&["link", "del", BRIDGE]));
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        ip(&["address", "add", BRIDGE_ADDRESS, "dev", BRIDGE])?;
        ip(&["link", "set", BRIDGE, "up"])?;
        let hierarchies = fs::read_dir(GROUPS)?.filter_map(|entry| Some(entry.ok()?.path().join("docker")));
        let places = LEFT.iter().map(PathBuf::from).chain(hierarchies).chain([Path::new(GROUPS).join("docker")]);
        let new = places.filter(|place| !place.exists()).collect();
        let data = target(&the_loop.checkout, "").join("walk/docker");
        fs::create_dir_all(&data)?;
        fs::create_dir_all(exec)?;
        let log = exec.with_extension("log");
        let said = File::create(&log)?;
        let mut dockerd = Command::new("/usr/sbin/dockerd");
        dockerd.arg("--data-root").arg(data).arg("--exec-root").arg(exec).arg("--pidfile").arg(exec.join("pid"));
        dockerd.arg("--host").arg(format!("unix://{}", socket.display())).arg(format!("--bridge={BRIDGE}"));
        dockerd.args(["--iptables=false", "--ip6tables=false", "--ip-masq=false"]);
        dockerd.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let engine = dockerd.spawn().context("cannot run dockerd")?;
        let mut docker = Self { engine, exec: exec.to_owned(), new };
        wait::until("the Docker engine answers", Duration::from_secs(30), || {
            if let Some(status) = docker.engine.try_wait()? {
                bail!("it ended with {status}:\n{}", shell::last_lines(&fs::read_to_string(&log)?, 12));
            }
            if answers(&mut client(socket)) { Ok(()) } else { bail!("it does not answer yet") }
        })?;
        Ok(docker)
    }

    /// Ends it and takes away what it has made besides its layers.
    fn stop(&mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.engine), Signal::TERM)?;
        let ended = wait::until("the Docker engine ends", Duration::from_secs(30), || {
            self.engine.try_wait()?.context("it still runs")
        });
        if ended.is_err() {
            self.engine.kill()?;
            self.engine.wait()?;
        }
        // Both may be gone already.
        drop(shell::run(Command::new("umount").arg(self.exec.join("netns/default"))));
        drop(shell::run(Command::new("ip").args(["link", "del", BRIDGE])));
        for place in self.new.iter().filter(|place| place.exists()) {
            drop(match place {
                // It is removed as a folder and cannot be emptied; below it there may be others.
                group if group.starts_with(GROUPS) => remove_groups(group),
                file if file.is_file() => fs::remove_file(file),
                folder => fs::remove_dir_all(folder),
            });
        }
        Ok(())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("the Docker engine of the walk could not be stopped: {error:#}");
        }
    }
}

fn remove_groups(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)?.flatten().filter(|entry| entry.path().is_dir()) {
        remove_groups(&entry.path())?;
    }
    fs::remove_dir(group)
}

fn client(socket: &Path) -> Command {
    let mut docker = Command::new("docker");
    docker.arg("--host").arg(format!("unix://{}", socket.display()));
    docker
}

/// Gives the engine the loop's own base image under the name by which the Dockerfile asks for it.
fn load(the_loop: &Loop, socket: &Path, base: &str) -> Result<()> {
    if client(socket).args(["image", "inspect", base]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        return Ok(());
    }
    let archive = target(&the_loop.checkout, "").join("walk/base.tar");
    drop(fs::remove_file(&archive));
    let image = format!("docker.io/library/{base}");
    let target = format!("docker-archive:{}:{base}", archive.display());
    shell::run(the_loop.buildah().args(["push", "--quiet", &image, &target]))?;
    shell::run(client(socket).args(["load", "--quiet", "--input"]).arg(&archive))?;
    fs::remove_file(&archive)?;
    Ok(())
}
