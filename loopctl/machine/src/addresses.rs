//! The addresses and names that the parts agree on.

/// The bridge every pod is attached to. Podman's default network is 10.88.0.0/16, Docker's
/// 172.17.0.0/16, k3s uses 10.42 and 10.43, MicroK8s 10.1 and 10.152: this one is none of them.
pub const BRIDGE: &str = "argo-rust0";
pub const BRIDGE_ADDRESS: &str = "10.187.0.1";
pub const POD_NETWORK: &str = "10.187.0.0/16";
pub const SERVICE_NETWORK: &str = "10.96.0.0/16";
pub const NODE: &str = "argo-rust";

/// Everything listens on the bridge's address, so nothing of the loop is offered to the outside.
pub const API_PORT: u16 = 6443;
pub const ETCD_PORT: u16 = 2379;
pub const REGISTRY_PORT: u16 = 5000;
pub const REGISTRY_USER: &str = "argo-rust";
pub const GIT_PORT: u16 = 3000;
pub const BOARD_PORT: u16 = 7070;
