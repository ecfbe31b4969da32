//! kube-proxy: makes Services reachable, and the service's NodePort on 127.0.0.1.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::addresses::{BRIDGE_ADDRESS, NODE, POD_NETWORK};
use super::keys::kubeconfig;
use super::private::write_private;
use super::processes::{self, Process};
use super::{Part, Place, iptables, shell};

pub struct KubeProxy;

impl Part for KubeProxy {
    fn name(&self) -> &'static str {
        "kube-proxy"
    }

    fn does(&self) -> &'static str {
        "leads Service addresses to pods, NodePorts on 127.0.0.1 too"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["apiserver"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program kube-proxy"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let folder = place.folder("kube-proxy")?;
        if !folder.join(CHAINS_BEFORE).exists() {
            let chains = iptables::kubernetes_chains();
            write_private(&folder.join(CHAINS_BEFORE), &serde_json::to_string_pretty(&chains)?)?;
        }
        let config = folder.join("config.yaml");
        let text = place.fill(
            "kubernetes",
            "kube-proxy.yaml",
            &[
                ("address", BRIDGE_ADDRESS),
                ("pods", POD_NETWORK),
                ("node", NODE),
                ("kubeconfig", &kubeconfig(place, "kube-proxy").display().to_string()),
            ],
        )?;
        write_private(&config, &text)?;
        let process = Process::new(place.program("kube-proxy")?).flag("config", config.display());
        processes::keep(place, self.name(), &process)
    }

    /// Ready when the API server's own Service has its rule.
    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        shell::run(Command::new("iptables").args(["-w", "-t", "nat", "-n", "-L", "KUBE-SERVICES"]))?;
        Ok(())
    }

    fn stop(&self, place: &Place) -> Result<()> {
        processes::stop(place, self.name())?;
        let path = place.state.join("kube-proxy").join(CHAINS_BEFORE);
        if !path.exists() {
            return Ok(());
        }
        let before: Vec<String> = serde_json::from_str(&fs::read_to_string(path)?)?;
        iptables::remove_kubernetes_chains(&before)
    }
}

/// Chains of a cluster that ran here earlier are not this one's to remove.
const CHAINS_BEFORE: &str = "chains-before.json";
