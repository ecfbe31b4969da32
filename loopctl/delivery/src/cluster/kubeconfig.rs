//! Whose kubeconfig is used.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::access::NoAccess;
use crate::stand_in::StandIn;

pub enum Kubeconfig {
    /// Wherever kubectl would look for it too, or the account of the pod that this runs in.
    Own,
    OfTheLoop(PathBuf),
}

/// What somebody has set up is never passed over, even where it is broken; a loop is only looked for where there is none.
pub fn of_whoever_asks() -> Result<Kubeconfig> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let in_home = env::home_dir().is_some_and(|home| home.join(".kube/config").exists());
    if is_set("KUBECONFIG") || in_home || is_set("KUBERNETES_SERVICE_HOST") {
        return Ok(Kubeconfig::Own);
    }
    let refused = |what: String| anyhow!(NoAccess(what));
    let the_loop =
        StandIn::of_this_machine().map_err(|error| refused(format!("no kubeconfig is set up, and {error:#}")))?;
    if let Some(the_loop) = the_loop {
        return Ok(Kubeconfig::OfTheLoop(the_loop.kubeconfig));
    }
    Err(refused(
        "no kubeconfig is set up, and no loop is up on this machine: `export KUBECONFIG=FILE` names a cluster of yours, \
         `cargo loopctl up` starts the loop"
            .to_owned(),
    ))
}

/// The file itself, where it is a single one that somebody has named or the loop's: for programs other than kubectl.
pub fn file() -> Option<PathBuf> {
    match of_whoever_asks().ok()? {
        Kubeconfig::OfTheLoop(path) => Some(path),
        Kubeconfig::Own => env::var_os("KUBECONFIG").map(PathBuf::from).filter(|path| path.is_file()),
    }
}
