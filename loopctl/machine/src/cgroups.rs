//! The control groups of the loop: every process of it, kept or in a pod, is in one of them.
//!
//! That is how `down` finds what has lost its parent, and why the loop's pods never mix with
//! those of another cluster on the machine.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// The kubelet puts its pods below this group.
pub const ROOT: &str = "/argo-rust-loop";
const MOUNTED: &str = "/sys/fs/cgroup";

/// What the kubelet limits pods by.
pub const CONTROLS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Makes the loop's own group wherever the kernel keeps one kind of control.
pub fn make() -> Result<()> {
    if is_second_version() {
        return make_second_version();
    }
    for group in roots()? {
        fs::create_dir_all(&group).with_context(|| format!("cannot make the control group {}", group.display()))?;
        // A cpuset of the first version starts empty, and no process can enter an empty one.
        for setting in ["cpuset.cpus", "cpuset.mems"] {
            let (from, to) = (Path::new(MOUNTED).join("cpuset").join(setting), group.join(setting));
            if from.exists() && to.exists() && fs::read_to_string(&to)?.trim().is_empty() {
                fs::write(&to, fs::read_to_string(&from)?)?;
            }
        }
    }
    Ok(())
}

/// In the second version a group's children have the controls that the group hands down.
fn make_second_version() -> Result<()> {
    let root = Path::new(MOUNTED);
    let group = root.join(&ROOT[1..]);
    fs::create_dir_all(&group).with_context(|| format!("cannot make the control group {}", group.display()))?;
    let wanted = CONTROLS.map(|control| format!("+{control}")).join(" ");
    for parent in [root, &group] {
        fs::write(parent.join("cgroup.subtree_control"), &wanted)
            .with_context(|| format!("cannot hand the controls {wanted} down from {}", parent.display()))?;
    }
    Ok(())
}

/// False where the first version is mounted, or both side by side.
pub fn is_second_version() -> bool {
    Path::new(MOUNTED).join("cgroup.controllers").exists()
}

/// The kinds of control that this kernel has.
pub fn controls() -> String {
    let listed = if is_second_version() { "/sys/fs/cgroup/cgroup.controllers" } else { "/proc/cgroups" };
    fs::read_to_string(listed).unwrap_or_default()
}

/// Moves the calling process, and with it all that it starts, into the group of a part.
pub fn enter(part: &str) -> Result<()> {
    let Some(root) = roots()?.into_iter().next() else { bail!("no control groups are mounted on {MOUNTED}") };
    let group = root.join("parts").join(part);
    fs::create_dir_all(&group).with_context(|| format!("cannot make the control group {}", group.display()))?;
    fs::write(group.join("cgroup.procs"), std::process::id().to_string())
        .with_context(|| format!("cannot enter the control group {}", group.display()))
}

/// Kills every process of a group below the loop's own ("" is the whole loop), then removes it.
pub fn end(below: &str) -> Result<()> {
    kill(below)?;
    for root in roots()? {
        remove(&root.join(below))?;
    }
    Ok(())
}

/// Kills every process of a group but the calling one, which may be in it.
pub fn kill(below: &str) -> Result<()> {
    let begin = Instant::now();
    loop {
        let mut left = Vec::new();
        for root in roots()? {
            processes(&root.join(below), &mut left)?;
        }
        left.retain(|pid| *pid != std::process::id().cast_signed());
        if left.is_empty() {
            return Ok(());
        }
        if begin.elapsed() > Duration::from_secs(20) {
            bail!("the processes {left:?} in the control group {ROOT}/{below} cannot be ended");
        }
        for pid in left.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            // It may have ended since it was listed, which is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
        sleep(Duration::from_millis(30));
    }
}

/// The loop's group in each hierarchy: one with the second version of control groups, several
/// with the first or with both side by side.
fn roots() -> Result<Vec<PathBuf>> {
    let mounted = Path::new(MOUNTED);
    if is_second_version() {
        return Ok(vec![mounted.join(&ROOT[1..])]);
    }
    let mut roots = Vec::new();
    for entry in fs::read_dir(mounted).with_context(|| format!("cannot read {MOUNTED}"))? {
        let path = entry?.path();
        // Besides hierarchies there are links such as cpu -> cpu,cpuacct.
        if !path.is_symlink() && path.join("cgroup.procs").exists() {
            roots.push(path.join(&ROOT[1..]));
        }
    }
    roots.sort();
    Ok(roots)
}

fn processes(group: &Path, found: &mut Vec<i32>) -> Result<()> {
    let Ok(listed) = fs::read_to_string(group.join("cgroup.procs")) else { return Ok(()) };
    found.extend(listed.lines().filter_map(|line| line.parse::<i32>().ok()));
    for child in children(group)? {
        processes(&child, found)?;
    }
    Ok(())
}

fn remove(group: &Path) -> Result<()> {
    for child in children(group)? {
        remove(&child)?;
    }
    let begin = Instant::now();
    // The kernel lets go of a group a moment after its last process has ended.
    loop {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if begin.elapsed() > Duration::from_secs(5) => {
                return Err(error).with_context(|| format!("cannot remove the control group {}", group.display()));
            }
            Err(_) => sleep(Duration::from_millis(20)),
        }
    }
}

/// None when the group has just gone: a container that ends takes its own with it.
fn children(group: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(group) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", group.display()))?,
    };
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    Ok(folders.collect())
}
