//! containerd: pulls images and runs containers, all below the loop's own folders and socket.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::addresses::{BRIDGE, BRIDGE_ADDRESS, POD_NETWORK, REGISTRY_PORT, REGISTRY_USER};
use super::private::write_private;
use super::processes::{self, Process};
use super::{Part, Place, cgroups, leftovers, mounts, network, shell};

pub struct Containerd;

/// Whose images the loop serves from its own registry, under their real names.
/// The second column: whether the node may pull without being asked for a password. Argo CD's
/// manifests bring no pull secret, the service's do, and theirs has to be tested.
const MIRRORED: &[(&str, bool)] =
    &[("ghcr.io", false), ("quay.io", true), ("public.ecr.aws", true), ("docker.io", true), ("registry.k8s.io", true)];

/// Addresses below it are the bridge's own and whatever the loop may need besides pods.
const FIRST_POD_ADDRESS: &str = "10.187.1.0";

/// Where distributions put them: Debian, Fedora, and the place the plugins' own documents name.
pub const NETWORK_PLUGINS: [&str; 3] = ["/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"];

impl Part for Containerd {
    fn name(&self) -> &'static str {
        "containerd"
    }

    fn does(&self) -> &'static str {
        "pulls images and runs containers"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["network"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program containerd", "program containerd-shim-runc-v2", "program ctr"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let folder = place.folder("containerd")?;
        let mirrors = place.folder("containerd/mirrors")?;
        let registry = format!("http://{BRIDGE_ADDRESS}:{REGISTRY_PORT}");
        for (host, opened) in MIRRORED {
            place.folder(&format!("containerd/mirrors/{host}"))?;
            let header = if *opened { header(place, &registry)? } else { String::new() };
            let text = place.fill(
                "containerd",
                "hosts.toml",
                &[("host", host), ("registry", &registry), ("header", &header)],
            )?;
            write_private(&mirrors.join(host).join("hosts.toml"), &text)?;
        }
        let network = place.fill(
            "containerd",
            "network.conflist",
            &[
                ("bridge", BRIDGE),
                ("pods", POD_NETWORK),
                ("first", FIRST_POD_ADDRESS),
                ("folder", &folder.display().to_string()),
            ],
        )?;
        let network_folder = place.folder("containerd/network")?;
        write_private(&network_folder.join("10-argo-rust.conflist"), &network)?;
        let config = folder.join("config.toml");
        let text = place.fill(
            "containerd",
            "config.toml",
            &[
                ("folder", &folder.display().to_string()),
                ("mirrors", &mirrors.display().to_string()),
                ("plugins", &NETWORK_PLUGINS.map(|folder| format!("{folder:?}")).join(", ")),
            ],
        )?;
        write_private(&config, &text)?;
        let program = place.program("containerd")?;
        // containerd looks for its shim in PATH; runc and the rest of the machine come after.
        let own = program.parent().context("a program stands in a folder")?.display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let process = Process::new(&program).flag("config", config.display()).env("PATH", format!("{own}:{path}"));
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        shell::run(ctr(place)?.args(["--timeout", "5s", "version"]))?;
        Ok(())
    }

    /// Containers outlive containerd, as they should while the loop runs; at its end they go too.
    fn stop(&self, place: &Place) -> Result<()> {
        processes::stop(place, self.name())?;
        // The control groups have one name on the machine: those of another state folder stay.
        if !network::is_ours(place) {
            return Ok(());
        }
        cgroups::end("kubepods")?;
        cgroups::end("parts/containerd")?;
        mounts::release(&place.state.join("containerd"))?;
        // Results of the network plugins, named after the network, and the sockets of killed shims.
        leftovers::remove_files_named("/var/lib/cni/results", "argo-rust-loop-")?;
        leftovers::remove_dead_sockets("/run/containerd/s")?;
        leftovers::remove_empty(&["/var/lib/cni/results", "/var/lib/cni", "/run/containerd/s", "/run/containerd"]);
        Ok(())
    }
}

/// ctr on the loop's own socket, in the namespace that the kubelet uses.
fn ctr(place: &Place) -> Result<Command> {
    let mut ctr = Command::new(place.program("ctr")?);
    ctr.arg("--address").arg(socket(place)).args(["--namespace", "k8s.io"]);
    Ok(ctr)
}

/// Pulls an image the way the kubelet does, through the same mirrors.
pub fn pull(place: &Place, image: &str) -> Result<()> {
    let mirrors = place.state.join("containerd/mirrors");
    shell::run(ctr(place)?.args(["images", "pull", "--hosts-dir"]).arg(mirrors).arg(image))?;
    Ok(())
}

pub fn socket(place: &Place) -> PathBuf {
    place.state.join("containerd/containerd.sock")
}

/// The line of hosts.toml that lets the node pull without a pull secret.
fn header(place: &Place, registry: &str) -> Result<String> {
    let password = place.secret("registry-password")?;
    let basic = BASE64_STANDARD.encode(format!("{REGISTRY_USER}:{password}"));
    Ok(format!("[host.\"{registry}\".header]\n  Authorization = [\"Basic {basic}\"]\n"))
}
