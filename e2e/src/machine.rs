//! What a loop could leave on a machine: asked before it comes up and after it has gone down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell;

/// In the names of the loop's folders and control groups, and so in the command lines of its processes.
const OURS: &str = "argo-rust-loop";

/// Outside of the loop's own folder: where its parts put things without being asked.
const FOLDERS: &[&str] = &[
    "/etc/cni",
    "/opt/cni",
    "/run/argo-rust-loop",
    "/run/containerd",
    "/run/netns",
    "/var/lib/argo-rust-loop",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
];

const SETTINGS: &[&str] = &[
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/bridge/bridge-nf-call-iptables",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// One line for each thing that is there, so that what is new can be named.
pub struct Machine(BTreeSet<String>);

impl Machine {
    pub fn now() -> Self {
        let mut things = BTreeSet::new();
        for process in entries("/proc").iter().filter(|path| is_ours(path)) {
            let command = fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ");
            things.insert(format!("process {} {command:.80}", process.display()));
        }
        for line in read("/proc/self/mountinfo").lines() {
            things.insert(format!("mount {}", line.split(' ').nth(4).unwrap_or_default()));
        }
        things.extend(entries("/sys/class/net").iter().map(|path| format!("interface {}", path.display())));
        things.extend(read("/proc/net/route").lines().map(|line| format!("route {line}")));
        for family in ["iptables-save", "ip6tables-save"] {
            let saved = shell::run(&mut Command::new(family)).unwrap_or_default();
            let rules =
                saved.lines().filter(|line| line.starts_with("-A") || line.starts_with(":") && line.contains(" - "));
            things.extend(rules.map(|rule| format!("{family} {}", rule.split(" [").next().unwrap_or(rule))));
        }
        for hierarchy in entries("/sys/fs/cgroup") {
            let named = |path: &&PathBuf| path.to_string_lossy().contains(OURS);
            let below = entries(&hierarchy);
            things
                .extend(below.iter().chain([&hierarchy]).filter(named).map(|path| format!("group {}", path.display())));
        }
        for setting in SETTINGS {
            things.insert(format!("setting {setting} = {}", read(Path::new("/proc/sys").join(setting)).trim()));
        }
        // What a Debian package brings is the package's, and stays with it.
        let of_package = |folder: &str| shell::run(Command::new("dpkg").args(["-S", folder])).is_ok();
        for folder in FOLDERS.iter().filter(|folder| Path::new(folder).exists() && !of_package(folder)) {
            things.insert(format!("folder {folder}"));
        }
        Self(things)
    }

    /// What is here now and was not there before.
    pub fn left_behind(&self, before: &Self) -> Vec<String> {
        // The settings of a kernel module appear with the module, which stays loaded.
        let appeared = |thing: &&String| match thing.split_once(" = ") {
            Some((setting, _)) if setting.starts_with("setting ") => before.0.contains(&format!("{setting} = ")),
            _ => false,
        };
        self.0.difference(&before.0).filter(|thing| !appeared(thing)).cloned().collect()
    }
}

/// A process of the loop names one of its folders, or is in one of its control groups.
fn is_ours(process: &Path) -> bool {
    let own = process.ends_with(std::process::id().to_string());
    !own && ["cmdline", "cgroup"].iter().any(|file| read(process.join(file)).contains(OURS))
}

/// Nothing where there is nothing: another kernel has not all of the files.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect());
    listed.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_named_and_what_was_there_before_is_not() {
        let machine = |things: &[&str]| Machine(things.iter().map(ToString::to_string).collect());
        let before = machine(&["interface eth0", "setting a = 0"]);
        let after = machine(&["interface eth0", "interface left0", "setting a = 1"]);
        assert_eq!(after.left_behind(&before), ["interface left0", "setting a = 1"]);
    }

    #[test]
    fn the_machine_has_at_least_its_mounts_and_interfaces() {
        let machine = Machine::now();
        assert!(machine.0.contains("mount /"), "{:?}", machine.0);
        assert!(machine.0.contains("interface /sys/class/net/lo"), "{:?}", machine.0);
    }
}
