//! kube-proxy: makes Services reachable, and the service's NodePort on 127.0.0.1.

use std::process::Command;

use anyhow::Result;

use super::keys::kubeconfig;
use super::place::{BRIDGE_ADDRESS, NODE, POD_NETWORK, write_private};
use super::processes::{self, Process};
use super::{Part, Place, shell};

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

    fn start(&self, place: &Place) -> Result<()> {
        let config = place.folder("kube-proxy")?.join("config.yaml");
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
        let program = place.program("kube-proxy")?;
        if program.exists() && place.state.join("kube-proxy").exists() {
            shell::run(Command::new(program).arg("--cleanup"))?;
        }
        Ok(())
    }
}
