//! CoreDNS: gives Services their names, for pods.

use std::net::TcpStream;

use anyhow::{Context, Result};

use super::addresses::BRIDGE_ADDRESS;
use super::keys::kubeconfig;
use super::private::write_private;
use super::processes::{self, Process};
use super::{Part, Place, shell};

pub struct CoreDns;

impl Part for CoreDns {
    fn name(&self) -> &'static str {
        "coredns"
    }

    fn does(&self) -> &'static str {
        "resolves the names of Services"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["apiserver"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program coredns"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        shell::run(
            place
                .kubectl()?
                .args(["apply", "--server-side", "--filename"])
                .arg(place.part("coredns")?.join("rbac.yaml")),
        )?;
        let corefile = place.folder("coredns")?.join("Corefile");
        let kubeconfig = kubeconfig(place, "coredns").display().to_string();
        let text = place.fill("coredns", "Corefile", &[("address", BRIDGE_ADDRESS), ("kubeconfig", &kubeconfig)])?;
        write_private(&corefile, &text)?;
        let process = Process::new(place.program("coredns")?).arg("-conf").arg(corefile.display().to_string());
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        TcpStream::connect((BRIDGE_ADDRESS, 53)).context("it does not accept connections")?;
        Ok(())
    }
}
