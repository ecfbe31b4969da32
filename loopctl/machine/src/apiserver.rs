//! kube-apiserver: the one door to the cluster, with Node and RBAC authorisation and Pod Security.

use std::net::TcpStream;

use anyhow::{Context, Result};

use super::addresses::{API_PORT, BRIDGE_ADDRESS, ETCD_PORT, SERVICE_NETWORK};
use super::processes::{self, Process};
use super::{Part, Place, shell};

pub struct ApiServer;

impl Part for ApiServer {
    fn name(&self) -> &'static str {
        "apiserver"
    }

    fn does(&self) -> &'static str {
        "answers the Kubernetes API"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["etcd"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program kube-apiserver", "program kubectl"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let key = |file: &str| place.keys().join(file).display().to_string();
        let process = Process::new(place.program("kube-apiserver")?)
            .flag("bind-address", BRIDGE_ADDRESS)
            .flag("advertise-address", BRIDGE_ADDRESS)
            .flag("secure-port", API_PORT)
            .flag("tls-cert-file", key("apiserver.crt"))
            .flag("tls-private-key-file", key("apiserver.key"))
            .flag("client-ca-file", key("ca.crt"))
            .flag("anonymous-auth", false)
            .flag("authorization-mode", "Node,RBAC")
            .flag("enable-admission-plugins", "NodeRestriction")
            .flag("profiling", false)
            .flag("etcd-servers", format!("https://{BRIDGE_ADDRESS}:{ETCD_PORT}"))
            .flag("etcd-cafile", key("etcd-ca.crt"))
            .flag("etcd-certfile", key("apiserver-to-etcd.crt"))
            .flag("etcd-keyfile", key("apiserver-to-etcd.key"))
            .flag("kubelet-certificate-authority", key("ca.crt"))
            .flag("kubelet-client-certificate", key("apiserver-to-kubelet.crt"))
            .flag("kubelet-client-key", key("apiserver-to-kubelet.key"))
            // The node's name resolves nowhere; without this `kubectl logs` would ask for it.
            .flag("kubelet-preferred-address-types", "InternalIP")
            .flag("service-cluster-ip-range", SERVICE_NETWORK)
            .flag("service-account-issuer", "https://kubernetes.default.svc.cluster.local")
            .flag("service-account-key-file", key("service-accounts.pub"))
            .flag("service-account-signing-key-file", key("service-accounts.key"));
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        // Cheaper than kubectl, which would only say the same in a tenth of a second.
        TcpStream::connect((BRIDGE_ADDRESS, API_PORT)).context("it does not accept connections")?;
        shell::run(place.kubectl()?.args(["get", "--raw=/readyz"]))?;
        Ok(())
    }
}
