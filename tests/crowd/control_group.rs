//! The limits of a pod, by the kernel's own means: control groups of version 1 or 2.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = "/sys/fs/cgroup";
const PERIOD_MICROSECONDS: u64 = 100_000;

/// A group with limits; it goes with this value, which has to outlive its processes.
pub struct ControlGroup {
    /// One folder, or with version 1 one for each resource; memory's is the last.
    folders: Vec<PathBuf>,
    is_unified: bool,
}

impl ControlGroup {
    pub fn create(milli_cores: u64, megabytes: u64) -> io::Result<Self> {
        let name = format!("argo-rust-test-{}", std::process::id());
        let quota = milli_cores * PERIOD_MICROSECONDS / 1000;
        let bytes = (megabytes * 1024 * 1024).to_string();
        let is_unified = Path::new(ROOT).join("cgroup.controllers").exists();
        if is_unified {
            fs::write(Path::new(ROOT).join("cgroup.subtree_control"), "+cpu +memory")?;
            let folder = Path::new(ROOT).join(name);
            fs::create_dir(&folder)?;
            fs::write(folder.join("cpu.max"), format!("{quota} {PERIOD_MICROSECONDS}"))?;
            fs::write(folder.join("memory.max"), bytes)?;
            return Ok(Self { folders: vec![folder], is_unified });
        }
        let [cpu, memory] = ["cpu", "memory"].map(|resource| Path::new(ROOT).join(resource).join(&name));
        fs::create_dir(&cpu)?;
        let mut group = Self { folders: vec![cpu], is_unified };
        fs::create_dir(&memory)?;
        group.folders.push(memory);
        fs::write(group.folders[0].join("cpu.cfs_period_us"), PERIOD_MICROSECONDS.to_string())?;
        fs::write(group.folders[0].join("cpu.cfs_quota_us"), quota.to_string())?;
        fs::write(group.memory("memory.limit_in_bytes"), bytes)?;
        Ok(group)
    }

    /// The same command, started inside: the shell goes in and becomes the program.
    pub fn wrap(&self, command: &Command) -> Command {
        let enter: String =
            self.folders.iter().map(|folder| format!("echo $$ >{}/cgroup.procs && ", folder.display())).collect();
        let mut wrapped = Command::new("/bin/sh");
        wrapped.arg("-c").arg(enter + "exec \"$0\"").arg(command.get_program()).env_clear();
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped
    }

    /// The most memory it ever had, the kernel's part of it too.
    pub fn peak_kilobytes(&self) -> u64 {
        let file = self.memory(if self.is_unified { "memory.peak" } else { "memory.max_usage_in_bytes" });
        fs::read_to_string(file).unwrap().trim().parse::<u64>().unwrap() / 1024
    }

    /// How many processes were ended because there was no more memory.
    pub fn killed(&self) -> u64 {
        let file = self.memory(if self.is_unified { "memory.events" } else { "memory.oom_control" });
        let text = fs::read_to_string(file).unwrap();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap().parse().unwrap()
    }

    fn memory(&self, file: &str) -> PathBuf {
        self.folders.last().expect("there is always one").join(file)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A process that has just ended may still be counted for a moment.
        for _ in 0..20 {
            self.folders.retain(|folder| folder.exists() && fs::remove_dir(folder).is_err());
            if self.folders.is_empty() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}
