//! What the machine has to bring along: asked before anything is touched.
//!
//! Every finding is one sentence that says what is missing and how to get it.

mod folders;
mod ports;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::addresses::{API_PORT, BOARD_PORT, BRIDGE, ETCD_PORT, GIT_PORT, REGISTRY_PORT};
use super::containerd::NETWORK_PLUGINS;
use super::{Place, cgroups, network, shell};

/// What the loop is made with besides its own builds: program, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("buildah", "buildah"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("mmdebstrap", "mmdebstrap"),
    ("podman", "podman"),
    ("python3", "python3-venv"),
    ("runc", "runc"),
    ("setpriv", "util-linux"),
    ("skopeo", "skopeo"),
    ("slirp4netns", "slirp4netns"),
    ("tar", "tar"),
];

/// Programs that no Debian package brings in the version that is needed.
const TOOLCHAINS: &[(&str, &str)] = &[
    ("go", "install Go 1.21 or newer from https://go.dev/dl; it fetches the exact version by itself"),
    ("rustc", "install Rust from https://rustup.rs"),
];

const PORTS: &[(u16, &str)] = &[
    (53, "CoreDNS"),
    (API_PORT, "the Kubernetes API"),
    (ETCD_PORT, "etcd"),
    (ETCD_PORT + 1, "etcd"),
    (GIT_PORT, "the git server"),
    (BOARD_PORT, "the board"),
    (REGISTRY_PORT, "the registry"),
    (10248, "the kubelet"),
    (10249, "kube-proxy"),
    (10250, "the kubelet"),
    (10256, "kube-proxy"),
    (10257, "the controller manager"),
    (10259, "the scheduler"),
];

/// Everything that stands in the way, at once: fixing them one by one would be tedious.
pub fn all(place: &Place) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if !rustix::process::geteuid().is_root() {
        // The rest would only fail for the same reason.
        return Ok(vec![
            "the loop makes network devices and control groups, so it has to run as root: put sudo in front".into(),
        ]);
    }
    kernel(&mut found);
    folders::look(place, &mut found)?;
    for (program, remedy) in TOOLCHAINS {
        if !shell::has(program) {
            found.push(format!("{program} is missing: {remedy}"));
        }
    }
    if let Some(old) = too_old_go() {
        found.push(format!(
            "{old} cannot fetch another version of itself: install Go 1.21 or newer from https://go.dev/dl"
        ));
    }
    let packages = missing_packages();
    if !packages.is_empty() {
        found.push(format!(
            "Debian packages are missing: run with --install, or apt-get install {}",
            packages.join(" ")
        ));
    }
    strangers(place, &mut found)?;
    Ok(found)
}

/// From 1.21 on the go command takes the version that a go.mod asks for from the module proxy.
fn too_old_go() -> Option<String> {
    let said = shell::run(Command::new("go").arg("version")).ok()?;
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    let minor: u32 = version.split('.').next()?.parse().ok()?;
    (minor < 21).then(|| format!("Go 1.{version}"))
}

pub fn missing_packages() -> Vec<&'static str> {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !shell::has(program)).map(|(_, package)| *package).collect();
    // Debian's python3 has the module venv, and refuses to use it without a package of its own.
    let venv = ["-c", "import venv, ensurepip"];
    if shell::has("python3") && shell::run(Command::new("python3").args(venv)).is_err() {
        missing.push("python3-venv");
    }
    if !NETWORK_PLUGINS.iter().any(|folder| Path::new(folder).join("bridge").exists()) {
        missing.push("containernetworking-plugins");
    }
    missing
}

pub fn install(packages: &[&str]) -> Result<()> {
    if !shell::has("apt-get") {
        bail!("this machine has no apt-get; install by other means: {}", packages.join(" "));
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.args(["--quiet", "--yes"]).env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    shell::run(apt().arg("update"))?;
    shell::run(apt().args(["install", "--no-install-recommends"]).args(packages))
        .context("cannot install the Debian packages")?;
    Ok(())
}

fn kernel(found: &mut Vec<String>) {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.lines().any(|line| line.ends_with("\toverlay"))
        && shell::run(Command::new("modprobe").arg("overlay")).is_err()
    {
        found.push(
            "the kernel has no overlay file system: use one with CONFIG_OVERLAY_FS, as every distribution's is".into(),
        );
    }
    let controls = cgroups::controls();
    for control in cgroups::CONTROLS {
        if !controls.split_whitespace().any(|known| known == control) {
            found.push(format!(
                "the kernel has no control group `{control}`: use one that has, as every distribution's does"
            ));
        }
    }
    if !Path::new("/proc/sys/net/bridge").exists() && shell::run(Command::new("modprobe").arg("br_netfilter")).is_err()
    {
        found.push("the kernel module br_netfilter is missing: install your kernel's extra modules".into());
    }
    if shell::has("iptables")
        && shell::run(Command::new("iptables").args(["-w", "-t", "nat", "-n", "-L", "OUTPUT"])).is_err()
    {
        found.push(
            "iptables cannot read the nat table: use a kernel with CONFIG_NF_NAT, as every distribution's is".into(),
        );
    }
}

/// What belongs to somebody else and would be in the way. Nothing of it is ever touched.
fn strangers(place: &Place, found: &mut Vec<String>) -> Result<()> {
    if network::is_ours(place) && network::bridge_exists() {
        // The ports are taken by this loop itself.
        return Ok(());
    }
    if let Some(other) = network::owner() {
        // Its ports and rules would only be further signs of it.
        found.push(another_loop(&other));
        return Ok(());
    }
    if network::bridge_exists() {
        found.push(format!(
            "a network device {BRIDGE} exists that this loop did not make: remove it with `ip link delete {BRIDGE}`"
        ));
    }
    let rules = shell::run(Command::new("iptables-save").args(["-t", "nat"])).unwrap_or_default();
    if rules.contains("KUBE-SERVICES") && !network::is_ours(place) {
        found.push("another cluster runs on this machine (its kube-proxy has written iptables rules): follow README's ordinary steps on that one, or stop it".into());
    }
    let service = place.repository()?.node_port;
    let listeners = ports::listeners(service);
    for (port, user) in PORTS.iter().chain([&(service, "the service itself")]) {
        if listeners.contains(port) {
            found.push(format!("port {port}, which {user} needs, is taken: `ss -lptn sport = :{port}` shows by whom"));
        }
    }
    Ok(())
}

/// Names the loop that runs, for whoever has set another folder.
pub fn another_loop(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "a loop runs on this machine already, and has its things in {folder}: `export LOOPCTL_STATE={folder}` is about \
         that one, and `cargo loopctl down` ends it then"
    )
}
