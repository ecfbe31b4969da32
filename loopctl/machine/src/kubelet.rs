//! kubelet: makes this machine the cluster's node and runs the pods it is given.

use anyhow::{Result, bail};

use super::addresses::{BRIDGE_ADDRESS, NODE};
use super::keys::kubeconfig;
use super::private::write_private;
use super::processes::{self, Process};
use super::{Part, Place, cgroups, containerd, leftovers, mounts, network, shell};

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

    fn made_of(&self) -> &'static [&'static str] {
        &["program kubelet"]
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
        leftovers::remove_dead_sockets("/var/lib/kubelet/device-plugins")?;
        leftovers::remove_links_to("/var/log/containers", &place.state.join("pod-logs"))?;
        leftovers::remove_empty(&["/var/log/containers", "/var/lib/kubelet/device-plugins", "/var/lib/kubelet"]);
        Ok(())
    }
}
