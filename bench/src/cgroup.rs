//! The limits of a pod, by the kernel's own means: control groups of version 1 or 2.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

const ROOT: &str = "/sys/fs/cgroup";
const PERIOD_MICROSECONDS: u64 = 100_000;

/// A group with limits; it goes with this value, which has to outlive its processes.
pub struct Group {
    /// One folder, or with version 1 one for each resource.
    folders: Vec<PathBuf>,
    memory: PathBuf,
    unified: bool,
}

#[derive(Clone, Copy)]
pub struct Limits {
    pub milli_cores: u64,
    pub megabytes: u64,
}

impl Group {
    pub fn create(limits: Limits) -> Result<Self> {
        let name = format!("argo-rust-bench-{}", std::process::id());
        let unified = Path::new(ROOT).join("cgroup.controllers").exists();
        let quota = limits.milli_cores * PERIOD_MICROSECONDS / 1000;
        let bytes = (limits.megabytes * 1024 * 1024).to_string();
        if unified {
            write(&Path::new(ROOT).join("cgroup.subtree_control"), "+cpu +memory")?;
            let folder = Path::new(ROOT).join(name);
            let group = Self { folders: vec![folder.clone()], memory: folder.clone(), unified };
            group.make_folders()?;
            write(&folder.join("cpu.max"), &format!("{quota} {PERIOD_MICROSECONDS}"))?;
            write(&folder.join("memory.max"), &bytes)?;
            return Ok(group);
        }
        let [cpu, memory] = ["cpu", "memory"].map(|resource| Path::new(ROOT).join(resource).join(&name));
        let group = Self { folders: vec![cpu.clone(), memory.clone()], memory: memory.clone(), unified };
        group.make_folders()?;
        write(&cpu.join("cpu.cfs_period_us"), &PERIOD_MICROSECONDS.to_string())?;
        write(&cpu.join("cpu.cfs_quota_us"), &quota.to_string())?;
        write(&memory.join("memory.limit_in_bytes"), &bytes)?;
        Ok(group)
    }

    /// The same command, started inside: the shell goes in and becomes the program.
    pub fn wrap(&self, command: &Command) -> Command {
        let enter: String =
            self.folders.iter().map(|folder| format!("echo $$ >{}/cgroup.procs && ", folder.display())).collect();
        let mut wrapped = Command::new("sh");
        wrapped.arg("-c").arg(enter + "exec \"$@\"").arg("sh").arg(command.get_program()).args(command.get_args());
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        wrapped
    }

    /// The most memory it ever had, the kernel's part of it and pages of files too.
    pub fn peak_megabytes(&self) -> Result<f64> {
        let file = self.memory.join(if self.unified { "memory.peak" } else { "memory.max_usage_in_bytes" });
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(text.trim().parse::<f64>()? / 1e6)
    }

    fn make_folders(&self) -> Result<()> {
        for folder in &self.folders {
            fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that has just ended may still be counted for a moment.
        for _ in 0..20 {
            self.folders.retain(|folder| folder.exists() && fs::remove_dir(folder).is_err());
            if self.folders.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {text} into {}", file.display()))
}
