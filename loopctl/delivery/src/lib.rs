//! A delivery from the commit to the pods: what git, the registry, Argo CD and the cluster say of it, what follows from
//! that, and the commits that steer it. Asks with whatever runs Rust, and knows nothing of commands or terminals.

pub mod access;
pub mod cluster;
pub mod coordinates;
pub mod deploys;
pub mod doctor;
pub mod git;
pub mod handle;
pub mod journey;
pub mod manifest;
mod process;
pub mod registry;
pub mod stand_in;
pub mod steer;
pub mod tfvars;
pub mod tls;
pub mod tofu;
pub mod watcher;

pub use handle::{Choice, Delivery};
