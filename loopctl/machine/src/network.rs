//! The bridge that everything listens on, the kernel settings it needs, and the way out for pods.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::addresses::{BRIDGE, BRIDGE_ADDRESS, POD_NETWORK};
use super::private::write_private;
use super::{Log, Part, Place, cgroups, iptables, mounts, shell, state};

pub struct Network;

/// What the loop sets itself. The values from before are written down and come back with `down`.
const SETTINGS: &[(&str, &str)] = &[
    ("net/ipv4/ip_forward", "1"),
    // NodePorts on 127.0.0.1 are led to pods, which the kernel refuses otherwise.
    ("net/ipv4/conf/all/route_localnet", "1"),
    // What goes from pod to pod over the bridge passes the rules of Services too.
    ("net/bridge/bridge-nf-call-iptables", "1"),
];

/// What the kubelet sets at its start, whether asked or not.
const TOUCHED_BY_KUBELET: &[&str] = &[
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// Where network namespaces have names. Image builds make and mount it where it is missing, and leave it there.
const NAMED_NAMESPACES: &str = "/run/netns";

/// By this comment the loop's own rules are found again.
const COMMENT: &str = "argo-rust-loop";

/// Table and rule, in the order in which a packet meets them.
const RULES: &[(&str, &[&str])] = &[
    // Linux answers on an address of any of its devices to whoever asks on another: these keep
    // what listens on the bridge's address for this machine and its pods.
    ("filter", &["INPUT", "-d", BRIDGE_ADDRESS, "-i", "lo", "-j", "ACCEPT"]),
    ("filter", &["INPUT", "-d", BRIDGE_ADDRESS, "-i", BRIDGE, "-j", "ACCEPT"]),
    ("filter", &["INPUT", "-d", BRIDGE_ADDRESS, "-j", "DROP"]),
    // Docker sets the policy of FORWARD to DROP; pods reach the outside nevertheless, and only
    // answers come back.
    ("filter", &["FORWARD", "-i", BRIDGE, "-j", "ACCEPT"]),
    ("filter", &["FORWARD", "-o", BRIDGE, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"]),
    ("filter", &["FORWARD", "-o", BRIDGE, "-j", "DROP"]),
    ("nat", &["POSTROUTING", "-s", POD_NETWORK, "!", "-o", BRIDGE, "-j", "MASQUERADE"]),
];

impl Part for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn does(&self) -> &'static str {
        "makes a bridge of its own for everything to listen on"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    fn start(&self, place: &Place) -> Result<()> {
        cgroups::make()?;
        if !Path::new("/proc/sys/net/bridge").exists() {
            shell::run(Command::new("modprobe").arg("br_netfilter"))
                .context("the kernel module br_netfilter is needed; install your kernel's extra modules")?;
        }
        remember_settings(place)?;
        for (setting, value) in SETTINGS {
            write_setting(setting, value)?;
        }
        if !bridge_exists() {
            shell::run(ip().args(["link", "add", BRIDGE, "type", "bridge"]))?;
        }
        shell::run(ip().args(["link", "set", "dev", BRIDGE, "alias"]).arg(&place.state))?;
        shell::run(ip().args(["address", "replace", &format!("{BRIDGE_ADDRESS}/16"), "dev", BRIDGE]))?;
        shell::run(ip().args(["link", "set", BRIDGE, "up"]))?;
        // Each is put before all others, so the last one comes first. What an interrupted `up` has
        // left is taken away before, because half of the rules in another order mean something else.
        iptables::remove_rules_with(COMMENT)?;
        for (table, rule) in RULES.iter().rev() {
            shell::run(&mut rule_command(table, "-I", rule))?;
        }
        Ok(())
    }

    fn ready(&self, _: &Place) -> Result<()> {
        if !bridge_exists() {
            bail!("there is no bridge {BRIDGE}");
        }
        let (table, last_written) = RULES[0];
        shell::run(&mut rule_command(table, "-C", last_written)).context("its iptables rules are not complete")?;
        Ok(())
    }

    fn log(&self, _: &Place) -> Log {
        Log::None
    }

    fn stop(&self, place: &Place) -> Result<()> {
        if !is_ours(place) {
            return Ok(());
        }
        iptables::remove_rules_with(COMMENT)?;
        // Without the bridge the machine was started anew since, and has its own settings already.
        if bridge_exists() {
            shell::run(ip().args(["link", "delete", BRIDGE]))?;
            let before: BTreeMap<String, String> = serde_json::from_str(&fs::read_to_string(memory(place))?)?;
            for (setting, value) in &before {
                write_setting(setting, value)?;
            }
            forget_named_namespaces(place)?;
        }
        // Whatever a part has lost sight of is still in the loop's control groups. What was written
        // down stays until the state folder goes: a `down` that failed halfway can be repeated.
        cgroups::end("")
    }
}

pub fn bridge_exists() -> bool {
    Path::new("/sys/class/net").join(BRIDGE).exists()
}

/// Whether the bridge was made by this loop: then the settings from before are written down, and after a restart of the
/// machine no loop of another folder has made one since.
pub fn is_ours(place: &Place) -> bool {
    memory(place).exists() && owner().is_none_or(|owner| owner == place.state)
}

/// The state folder of the loop that runs, as its bridge is told it.
pub fn owner() -> Option<PathBuf> {
    let alias = fs::read_to_string(Path::new("/sys/class/net").join(BRIDGE).join("ifalias")).ok()?;
    let alias = alias.trim_end_matches('\n');
    alias.starts_with('/').then(|| PathBuf::from(alias))
}

fn memory(place: &Place) -> PathBuf {
    place.state.join("settings-before.json")
}

/// Once a boot: what a second `up` finds are the loop's own values, not those from before.
fn remember_settings(place: &Place) -> Result<()> {
    let path = memory(place);
    if path.exists() && bridge_exists() {
        return Ok(());
    }
    let names = SETTINGS.iter().map(|(name, _)| *name).chain(TOUCHED_BY_KUBELET.iter().copied());
    let before: BTreeMap<&str, String> = names
        .filter_map(|name| Some((name, fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().to_owned())))
        .collect();
    state::claim(&place.state)?;
    if mounts::below(Path::new(NAMED_NAMESPACES))?.is_empty() {
        write_private(&no_named_namespaces(place), "")?;
    }
    write_private(&path, &serde_json::to_string_pretty(&before)?)
}

/// Is there when no namespace could have a name before the loop came up.
fn no_named_namespaces(place: &Place) -> PathBuf {
    place.state.join("no-named-namespaces-before")
}

fn forget_named_namespaces(place: &Place) -> Result<()> {
    let folder = Path::new(NAMED_NAMESPACES);
    // Somebody else may have given a name meanwhile.
    let is_unused = fs::read_dir(folder).is_ok_and(|mut names| names.next().is_none());
    if !no_named_namespaces(place).exists() || !is_unused {
        return Ok(());
    }
    mounts::release(folder)?;
    fs::remove_dir(folder).with_context(|| format!("cannot remove {NAMED_NAMESPACES}"))
}

fn write_setting(name: &str, value: &str) -> Result<()> {
    let path = Path::new("/proc/sys").join(name);
    if fs::read_to_string(&path).is_ok_and(|now| now.trim() == value) {
        return Ok(());
    }
    fs::write(&path, value).with_context(|| format!("cannot set the kernel setting {}", name.replace('/', ".")))
}

fn ip() -> Command {
    Command::new("ip")
}

fn rule_command(table: &str, what: &str, rule: &[&str]) -> Command {
    let mut command = Command::new("iptables");
    command.args(["-w", "-t", table, what]).args(rule).args(["-m", "comment", "--comment", COMMENT]);
    command
}
