//! Every key and certificate of the cluster, made fresh for each one, and the kubeconfigs that use them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use super::addresses::{API_PORT, BRIDGE_ADDRESS, NODE};
use super::private::write_private;
use super::{Log, Part, Place, stand_in};

pub struct Keys;

/// Who may speak to the API server, and as whom: file name, user, group.
const CLIENTS: &[(&str, &str, &str)] = &[
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
    ("kubelet", "system:node:argo-rust", "system:nodes"),
    ("coredns", "system:coredns", ""),
];

/// The first address of the service network: where pods find the API server.
const API_SERVICE_ADDRESS: &str = "10.96.0.1";

impl Part for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn does(&self) -> &'static str {
        "makes fresh keys, certificates and passwords"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    fn start(&self, place: &Place) -> Result<()> {
        let folder = place.folder("keys")?;
        if !folder.join("complete").exists() {
            make_all(&folder)?;
            write_private(&folder.join("complete"), "")?;
        }
        for (client, _, _) in CLIENTS {
            write_kubeconfig(place, client)?;
        }
        stand_in::write(place)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        if place.keys().join("complete").exists() { Ok(()) } else { bail!("there are no keys") }
    }

    fn log(&self, _: &Place) -> Log {
        Log::None
    }

    fn stop(&self, place: &Place) -> Result<()> {
        let folder = place.keys();
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        Ok(())
    }
}

fn make_all(folder: &Path) -> Result<()> {
    let cluster = Authority::make(folder, "ca", "argo-rust cluster")?;
    let api_names = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        BRIDGE_ADDRESS,
        API_SERVICE_ADDRESS,
    ];
    cluster.sign(folder, "apiserver", "kube-apiserver", "", &api_names)?;
    cluster.sign(folder, "apiserver-to-kubelet", "kube-apiserver", "system:masters", &[])?;
    cluster.sign(folder, "kubelet-server", NODE, "", &[NODE, BRIDGE_ADDRESS])?;
    for (client, user, group) in CLIENTS {
        cluster.sign(folder, client, user, group, &[])?;
    }
    // An authority of its own: whoever holds a certificate of the cluster must not read etcd with it.
    let etcd = Authority::make(folder, "etcd-ca", "argo-rust etcd")?;
    etcd.sign(folder, "etcd", "etcd", "", &[BRIDGE_ADDRESS])?;
    etcd.sign(folder, "apiserver-to-etcd", "kube-apiserver", "", &[])?;

    let tokens = KeyPair::generate()?;
    write_private(&folder.join("service-accounts.key"), &tokens.serialize_pem())?;
    write_private(&folder.join("service-accounts.pub"), &tokens.public_key_pem())
}

struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn make(folder: &Path, file: &str, name: &str) -> Result<Self> {
        let mut wanted = CertificateParams::new([])?;
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = wanted.self_signed(&key)?;
        write_private(&folder.join(format!("{file}.crt")), &certificate.pem())?;
        // The authority's own key is not kept: nothing is signed later, so nobody can steal it.
        Ok(Self(Issuer::new(wanted, key)))
    }

    /// A key with a certificate for a user of a group, or for a server of these names and addresses.
    fn sign(&self, folder: &Path, file: &str, user: &str, group: &str, names: &[&str]) -> Result<()> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut wanted = CertificateParams::new(names)?;
        wanted.distinguished_name.push(DnType::CommonName, user);
        if !group.is_empty() {
            wanted.distinguished_name.push(DnType::OrganizationName, group);
        }
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = wanted.signed_by(&key, &self.0)?;
        write_private(&folder.join(format!("{file}.key")), &key.serialize_pem())?;
        write_private(&folder.join(format!("{file}.crt")), &certificate.pem())
    }
}

fn write_kubeconfig(place: &Place, client: &str) -> Result<()> {
    let keys = place.keys();
    let path = |file: String| keys.join(file).display().to_string();
    let text = place.fill(
        "kubernetes",
        "kubeconfig.yaml",
        &[
            ("server", &format!("https://{BRIDGE_ADDRESS}:{API_PORT}")),
            ("authority", &path("ca.crt".into())),
            ("certificate", &path(format!("{client}.crt"))),
            ("key", &path(format!("{client}.key"))),
        ],
    )?;
    write_private(&kubeconfig(place, client), &text)
}

/// The kubeconfig of one of the cluster's own clients.
pub fn kubeconfig(place: &Place, client: &str) -> std::path::PathBuf {
    match client {
        "admin" => place.kubeconfig(),
        _ => place.keys().join(format!("{client}.kubeconfig")),
    }
}
