//! etcd: where the API server keeps everything it knows.

use std::net::TcpStream;

use anyhow::{Context, Result};

use super::addresses::{BRIDGE_ADDRESS, ETCD_PORT};
use super::processes::{self, Process};
use super::{Part, Place};

pub struct Etcd;

impl Part for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn does(&self) -> &'static str {
        "keeps the cluster's objects"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["network", "keys"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program etcd"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let clients = format!("https://{BRIDGE_ADDRESS}:{ETCD_PORT}");
        let peers = format!("https://{BRIDGE_ADDRESS}:{}", ETCD_PORT + 1);
        let key = |file: &str| place.keys().join(file).display().to_string();
        let process = Process::new(place.program("etcd")?)
            .flag("name", "argo-rust")
            .flag("data-dir", place.folder("etcd")?.display())
            .flag("listen-client-urls", &clients)
            .flag("advertise-client-urls", &clients)
            .flag("listen-peer-urls", &peers)
            .flag("initial-advertise-peer-urls", &peers)
            .flag("initial-cluster", format!("argo-rust={peers}"))
            .flag("client-cert-auth", true)
            .flag("trusted-ca-file", key("etcd-ca.crt"))
            .flag("cert-file", key("etcd.crt"))
            .flag("key-file", key("etcd.key"))
            .flag("peer-client-cert-auth", true)
            .flag("peer-trusted-ca-file", key("etcd-ca.crt"))
            .flag("peer-cert-file", key("etcd.crt"))
            .flag("peer-key-file", key("etcd.key"))
            .flag("log-level", "warn")
            // The data need not outlive a power failure, and a laptop's disk is not kept busy.
            .flag("unsafe-no-fsync", true);
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        TcpStream::connect((BRIDGE_ADDRESS, ETCD_PORT)).context("it does not accept connections")?;
        Ok(())
    }
}
