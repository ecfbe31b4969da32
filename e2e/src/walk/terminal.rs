//! A terminal: commands that end, commands that ask, and one that stays in the foreground until Ctrl-C.

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::shell::last_lines;
use crate::wait;

pub struct Said {
    pub out: String,
    /// With standard error.
    pub all: String,
}

/// To compile everything and to wait for a port on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// The service's drain, and what ends around it.
const DRAIN: Duration = Duration::from_secs(40);

/// Fails with the last of what was said when a command has failed. With `answers` it runs on a terminal, on which
/// that is typed whenever somebody asks.
pub fn run(mut command: Command, answers: Option<&str>) -> Result<Said> {
    let output = match answers {
        None => command.stdin(Stdio::null()).output().context("cannot run bash")?,
        Some(answer) => {
            let mut child = on_a_terminal(&command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let mut keyboard = child.stdin.take().context("its input was asked for")?;
            // More often than anybody asks: the terminal keeps what nobody reads.
            keyboard.write_all(format!("{answer}\n").repeat(4).as_bytes())?;
            child.wait_with_output()?
        }
    };
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!(
            "expected: every command ends well\nseen: {}; the last that was said:\n{}",
            output.status,
            last_lines(&all, 25)
        );
    }
    Ok(Said { out, all })
}

/// The same command below `script`, which makes a terminal for it.
fn on_a_terminal(command: &Command) -> Command {
    let words: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]).env_clear();
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(command.get_current_dir().unwrap_or(Path::new("."))).stderr(Stdio::piped());
    script
}

/// What stays in the foreground.
pub struct Serving {
    child: Child,
    said: PathBuf,
}

impl Serving {
    /// Returns once somebody listens on the port.
    pub fn start(mut command: Command, said: &Path, port: u16) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpStream::connect(address).is_ok() {
            bail!("port {port} is taken on this machine, and the document's command needs it");
        }
        let log = File::create(said)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut serving = Self { child: command.spawn().context("cannot run bash")?, said: said.to_owned() };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = serving.child.try_wait()? {
                bail!("expected: it serves on port {port}\nseen: it ended with {status}:\n{}", serving.last_words());
            }
            if begin.elapsed() > PATIENCE {
                serving.interrupt()?;
                bail!("expected: it serves on port {port} within {PATIENCE:?}\nseen: nobody does");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(serving)
    }

    /// Ctrl-C reaches all of the foreground, which then has to end well.
    pub fn interrupt(mut self) -> Result<()> {
        let group = Pid::from_child(&self.child);
        kill_process_group(group, Signal::INT)?;
        let (status, _) =
            wait::until("it ends after Ctrl-C", DRAIN, || self.child.try_wait()?.context("it still runs"))
                .inspect_err(|_| kill_process_group(group, Signal::KILL).unwrap_or_default())?;
        if !status.success() {
            bail!("expected: it ends well after Ctrl-C\nseen: {status}:\n{}", self.last_words());
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        last_lines(&fs::read_to_string(&self.said).unwrap_or_default(), 25)
    }
}
