//! Whether the two folders can hold a loop: found out before anything is built.

use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::StatVfsMountFlags;

use crate::Place;
use crate::state::{self, Folder};

/// Below this a first `up` would fail in the middle; the builds and images take about 8 GB.
const FREE_BYTES: u64 = 15_000_000_000;

/// What the kernel allows for the address of a unix socket, without the byte that ends it.
const SOCKET: usize = 107;

/// The longest of the loop's own sockets, below the state folder.
const LONGEST: &str = "/kubelet/pod-resources/kubelet.sock";

pub fn look(place: &Place, found: &mut Vec<String>) -> Result<()> {
    if state::look(&place.state)? == Folder::OfSomebodyElse {
        found.push(state::refusal(&place.state));
    }
    found.extend(too_long(&place.state));
    found.extend(one_in_the_other(&place.state, &place.cache));
    for (folder, variable) in [(&place.state, "LOOPCTL_STATE"), (&place.cache, "XDG_CACHE_HOME")] {
        let existing = folder.ancestors().find(|folder| folder.exists()).context("the root folder always exists")?;
        let space = rustix::fs::statvfs(existing)?;
        let free = space.f_bavail * space.f_frsize;
        if free < FREE_BYTES {
            let (free, need) = (free / 1_000_000_000, FREE_BYTES / 1_000_000_000);
            found.push(format!(
                "{} has {free} GB free and {need} are needed: make room, or set {variable} to another disk",
                existing.display()
            ));
        }
        found.extend(unusable(existing, variable, space.f_flag));
    }
    Ok(())
}

fn too_long(state: &Path) -> Option<String> {
    let length = state.as_os_str().len();
    let most = SOCKET - LONGEST.len();
    (length > most).then(|| {
        format!(
            "the path {} has {length} bytes, and sockets below it leave room for {most}: set LOOPCTL_STATE to a shorter one",
            state.display()
        )
    })
}

/// `down` keeps the cache, and `down --purge` is not to take a state that still runs.
fn one_in_the_other(state: &Path, cache: &Path) -> Option<String> {
    (state.starts_with(cache) || cache.starts_with(state)).then(|| {
        format!(
            "{} and {} lie in each other: set LOOPCTL_STATE or XDG_CACHE_HOME to a folder of its own",
            state.display(),
            cache.display()
        )
    })
}

fn unusable(existing: &Path, variable: &str, flags: StatVfsMountFlags) -> Option<String> {
    let why = if flags.contains(StatVfsMountFlags::RDONLY) {
        "nothing can be written"
    } else if flags.contains(StatVfsMountFlags::NOEXEC) {
        "no program can be run (it is mounted noexec)"
    } else {
        return None;
    };
    Some(format!("below {} {why}: set {variable} to another disk", existing.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<String>, expected: Option<&str>) {
        match (&found, expected) {
            (Some(said), Some(part)) => assert!(said.contains(part), "{said}"),
            (found, expected) => assert_eq!(found.is_some(), expected.is_some(), "{found:?} {expected:?}"),
        }
    }

    #[test]
    fn a_path_is_too_long_when_a_socket_below_it_would_be() {
        let of = |length: usize| too_long(Path::new(&format!("/{}", "x".repeat(length - 1))));
        check(too_long(Path::new(crate::place::STATE)), None);
        check(of(72), None);
        check(of(73), Some("sockets below it leave room for 72"));
        check(of(200), Some("has 200 bytes"));
    }

    #[test]
    fn state_and_cache_do_not_lie_in_each_other() {
        let of = |state: &str, cache: &str| one_in_the_other(Path::new(state), Path::new(cache));
        check(of("/var/lib/loop", "/root/.cache/loop"), None);
        check(of("/data/loop-state", "/data/loop"), None);
        for (state, cache) in
            [("/data/loop", "/data/loop"), ("/data", "/data/loop"), ("/data/loop/state", "/data/loop")]
        {
            check(of(state, cache), Some("lie in each other"));
        }
    }

    #[test]
    fn a_disk_that_runs_no_program_is_found_before_one_is_built() {
        let of = |flags| unusable(Path::new("/data"), "XDG_CACHE_HOME", flags);
        check(of(StatVfsMountFlags::NODEV | StatVfsMountFlags::NOSUID), None);
        check(of(StatVfsMountFlags::NOEXEC | StatVfsMountFlags::NODEV), Some("noexec"));
        check(of(StatVfsMountFlags::RDONLY), Some("set XDG_CACHE_HOME"));
    }
}
