//! The whole loop on one Linux machine, out of real parts: one part a file.
//!
//! A part is something that can be started, asked whether it is ready, and stopped.
//! `up` starts each part as soon as those it needs are ready; `down` stops them in the opposite
//! order. To add one: write its file, and put it into [`parts`].

pub mod addresses;
pub mod apiserver;
pub mod argocd;
pub mod bare;
pub mod base_images;
pub mod board;
pub mod builds;
pub mod cgroups;
pub mod checks;
pub mod containerd;
pub mod controllers;
pub mod coredns;
pub mod delivered;
pub mod etcd;
pub mod first_push;
pub mod git_server;
pub mod images;
pub mod iptables;
pub mod keys;
pub mod kube_proxy;
pub mod kubelet;
pub mod leftovers;
pub mod mounts;
pub mod network;
mod parts;
pub mod place;
pub mod private;
pub mod processes;
pub mod registry;
pub mod repository;
pub mod shell;
pub mod stand_in;
pub mod start;
pub mod state;
pub mod workflow;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

pub use place::Place;

pub trait Part: Sync {
    /// How `status`, `logs` and the other parts' `needs` call it.
    fn name(&self) -> &'static str;

    /// What it does for the loop, in half a sentence, for the progress line.
    fn does(&self) -> &'static str;

    /// The parts that have to be ready before this one is started.
    fn needs(&self) -> &'static [&'static str];

    /// The programs and images that have to be made before this one is started, as `program NAME` and `image NAME`.
    fn made_of(&self) -> &'static [&'static str] {
        &[]
    }

    /// Brings it up; on a part that already runs it changes nothing and succeeds.
    fn start(&self, place: &Place) -> Result<()>;

    /// Fails with what is still missing for as long as it is not ready.
    /// It is asked again several times a second, so it has to answer quickly.
    fn ready(&self, place: &Place) -> Result<()>;

    /// How long it may take to become ready.
    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Takes it down and leaves nothing behind, whatever state it is in.
    fn stop(&self, place: &Place) -> Result<()> {
        processes::stop(place, self.name())
    }

    /// What `logs PART` shows.
    fn log(&self, place: &Place) -> Log {
        Log::File(place.log(self.name()))
    }
}

/// Where a part says what it does.
pub enum Log {
    File(PathBuf),
    Pods {
        namespace: &'static str,
    },
    /// It is a state and not a process.
    None,
}

/// Every part, in the order in which a reader would explain the loop.
pub fn parts() -> Vec<Box<dyn Part>> {
    vec![
        Box::new(keys::Keys),
        Box::new(network::Network),
        Box::new(registry::Registry),
        Box::new(git_server::GitServer),
        Box::new(first_push::FirstPush),
        Box::new(images::Images),
        Box::new(etcd::Etcd),
        Box::new(apiserver::ApiServer),
        Box::new(controllers::ControllerManager),
        Box::new(controllers::Scheduler),
        Box::new(containerd::Containerd),
        Box::new(kubelet::Kubelet),
        Box::new(kube_proxy::KubeProxy),
        Box::new(coredns::CoreDns),
        Box::new(argocd::ArgoCd),
        Box::new(board::Board),
    ]
}
