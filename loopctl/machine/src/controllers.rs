//! kube-controller-manager and kube-scheduler: they turn wishes into pods, and give pods a node.

use anyhow::Result;

use super::addresses::BRIDGE_ADDRESS;
use super::keys::kubeconfig;
use super::processes::{self, Process};
use super::{Part, Place, shell};

pub struct ControllerManager;
pub struct Scheduler;

impl Part for ControllerManager {
    fn name(&self) -> &'static str {
        "controller-manager"
    }

    fn does(&self) -> &'static str {
        "makes pods out of Deployments"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["apiserver"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program kube-controller-manager"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let key = |file: &str| place.keys().join(file).display().to_string();
        let process = client(place, "kube-controller-manager", "controller-manager")?
            .flag("root-ca-file", key("ca.crt"))
            .flag("service-account-private-key-file", key("service-accounts.key"))
            .flag("use-service-account-credentials", true);
        processes::keep(place, self.name(), &process)
    }

    /// Ready when it has done the first thing that everything else waits for.
    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        shell::run(place.kubectl()?.args(["get", "serviceaccount", "default", "--namespace=default"]))?;
        Ok(())
    }
}

impl Part for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn does(&self) -> &'static str {
        "gives each pod its node"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["apiserver"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program kube-scheduler"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        processes::keep(place, self.name(), &client(place, "kube-scheduler", "scheduler")?)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())
    }
}

/// What both have in common.
fn client(place: &Place, program: &str, user: &str) -> Result<Process> {
    let kubeconfig = kubeconfig(place, user);
    Ok(Process::new(place.program(program)?)
        .flag("kubeconfig", kubeconfig.display())
        .flag("authentication-kubeconfig", kubeconfig.display())
        .flag("authorization-kubeconfig", kubeconfig.display())
        .flag("bind-address", BRIDGE_ADDRESS)
        .flag("profiling", false)
        // There is no second one to elect against, and an election costs seconds at every start.
        .flag("leader-elect", false))
}
