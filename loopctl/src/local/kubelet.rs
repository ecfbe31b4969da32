//! kubelet: makes this machine the cluster's node and runs the pods it is given.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::keys::kubeconfig;
use super::place::{BRIDGE_ADDRESS, NODE, write_private};
use super::processes::{self, Process};
use super::{Part, Place, cgroups, containerd, mounts, network, shell};

pub struct Kubelet;

impl Part for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn does(&self) -> &'static str {
        "makes this machine a node"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["apiserver", "containerd"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let folder = place.folder("kubelet")?;
        let key = |file: &str| place.keys().join(file).display().to_string();
        let text = place.fill(
            "kubernetes",
            "kubelet.yaml",
            &[
                ("address", BRIDGE_ADDRESS),
                ("socket", &containerd::socket(place).display().to_string()),
                ("authority", &key("ca.crt")),
                ("certificate", &key("kubelet-server.crt")),
                ("key", &key("kubelet-server.key")),
                ("group", cgroups::ROOT),
                ("logs", &place.folder("pod-logs")?.display().to_string()),
            ],
        )?;
        write_private(&folder.join("config.yaml"), &text)?;
        let process = Process::new(place.program("kubelet")?)
            .flag("config", folder.join("config.yaml").display())
            .flag("kubeconfig", kubeconfig(place, "kubelet").display())
            .flag("root-dir", folder.display())
            .flag("hostname-override", NODE)
            .flag("node-ip", BRIDGE_ADDRESS);
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status} {.status.conditions[?(@.type==\"Ready\")].message}";
        let said = shell::run(place.kubectl()?.args(["get", "node", NODE, "--output", path]))?;
        match said.split_once(' ') {
            Some(("True", _)) => Ok(()),
            Some((_, reason)) => bail!("the node is not ready: {reason}"),
            None => bail!("the node has not said how it is"),
        }
    }

    fn stop(&self, place: &Place) -> Result<()> {
        processes::stop(place, self.name())?;
        // The control groups have one name on the machine: those of another state folder stay.
        if !network::is_ours(place) {
            return Ok(());
        }
        cgroups::end("kubepods")?;
        mounts::release(&place.state.join("kubelet"))?;
        remove_log_links(place)?;
        // Its place cannot be changed either. Nobody answers there, so no other kubelet has it.
        let plugins = Path::new("/var/lib/kubelet/device-plugins/kubelet.sock");
        if plugins.exists() && UnixStream::connect(plugins).is_err() {
            fs::remove_file(plugins).with_context(|| format!("cannot remove {}", plugins.display()))?;
        }
        // Folders whose names cannot be changed. If they hold anything, it is somebody else's.
        for folder in ["/var/log/containers", "/var/lib/kubelet/device-plugins", "/var/lib/kubelet"] {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// The kubelet leaves links to its pods' logs in a folder whose name cannot be changed.
fn remove_log_links(place: &Place) -> Result<()> {
    let Ok(links) = fs::read_dir("/var/log/containers") else { return Ok(()) };
    let ours = place.state.join("pod-logs");
    for link in links {
        let link = link?.path();
        if fs::read_link(&link).is_ok_and(|target| target.starts_with(&ours)) {
            fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
        }
    }
    Ok(())
}
