use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::machine::Cores;

/// One that is measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// As it stands in the tables.
    pub name: String,
    pub path: String,
    pub kind: Kind,
    pub program: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// With the file of bytes that it answers.
    Epoll(PathBuf),
    /// With the body that it answers.
    Nginx(String),
    Peer(String),
    Service,
}

/// A target that runs; it ends with this value.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Target {
    /// What starts it. The folder is its own, for as long as it runs.
    pub fn command(&self, address: SocketAddr, connections: usize, folder: &Path) -> Result<Command> {
        let mut command = Command::new(&self.program);
        match &self.kind {
            Kind::Epoll(answer) => {
                command.arg(address.to_string()).arg(answer);
            }
            Kind::Peer(body) => {
                command.arg(address.to_string()).arg(&self.path).arg(body);
            }
            Kind::Nginx(body) => {
                let configuration = folder.join("nginx.conf");
                fs::write(&configuration, nginx_configuration(address, connections, folder, &self.path, body))?;
                command.arg("-p").arg(folder).arg("-c").arg(configuration).arg("-e").arg(folder.join("error.log"));
            }
            Kind::Service => {
                command
                    .env("ARGO_RUST_LISTEN", address.to_string())
                    .env("ARGO_RUST_METRICS_LISTEN", "127.0.0.1:0")
                    .env("ARGO_RUST_MAX_CONNECTIONS", connections.to_string());
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    /// On the server's core alone, for so many connections at once.
    pub fn start(&self, cores: Cores, connections: usize) -> Result<Server> {
        let server = self.start_by(cores, &[cores.server], connections, |command| command)?;
        wait_until_it_listens(server.address).with_context(|| format!("{} does not start", self.name))?;
        Ok(server)
    }

    /// On these cores, by a command made of its own one; it may not listen yet.
    pub fn start_by(
        &self,
        cores: Cores,
        on: &[usize],
        connections: usize,
        wrap: impl FnOnce(Command) -> Command,
    ) -> Result<Server> {
        let address = free_address()?;
        let folder = tempfile::tempdir()?;
        let mut command = wrap(self.command(address, connections, folder.path())?);
        let child = cores.on(on, || command.spawn())?;
        let child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Server { address, child, _folder: folder })
    }
}

impl Server {
    /// User and system time of all its threads and processes until now.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for process in self.processes()? {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                // In nanoseconds, where /proc/PID/stat counts in hundredths of a second.
                let times = fs::read_to_string(thread?.path().join("schedstat"))?;
                nanoseconds += times.split_whitespace().next().context("an empty schedstat")?.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in MB of a million bytes.
    pub fn resident_megabytes(&self) -> Result<f64> {
        let mut kilobytes = 0;
        for process in self.processes()? {
            // Counted page by page, where /proc/PID/status adds up what each core has noted by now.
            let memory = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            let resident = memory.lines().find_map(|line| line.strip_prefix("Rss:")).context("a process has ended")?;
            kilobytes += resident.trim_end_matches("kB").trim().parse::<u64>()?;
        }
        Ok(kilobytes as f64 * 1024.0 / 1e6)
    }

    /// Asks it to end: by SIGINT, on which none of them waits for clients, then by SIGTERM, because what a shell has
    /// started in the background ignores the first.
    pub fn stop(&mut self) -> Result<()> {
        for (signal, seconds) in [(Signal::INT, 1), (Signal::TERM, 10)] {
            kill_process(self.pid()?, signal)?;
            let asked = Instant::now();
            while asked.elapsed() < Duration::from_secs(seconds) {
                if self.has_ended()? {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        bail!("a server does not end after SIGINT and SIGTERM")
    }

    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// nginx has a worker below its master.
    fn processes(&self) -> Result<Vec<u32>> {
        let own = self.child.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"))?;
        let children = children.split_whitespace().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        Ok([vec![own], children].concat())
    }

    fn pid(&self) -> Result<Pid> {
        Pid::from_raw(i32::try_from(self.child.id())?).context("a process without a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.stop().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

pub fn wait_until_it_listens(address: SocketAddr) -> Result<()> {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(started.elapsed() < Duration::from_secs(30), "nothing listens on {address} after 30 s");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// One worker that answers from its configuration; it keeps as many connections as are asked for, as each costs memory.
fn nginx_configuration(address: SocketAddr, connections: usize, folder: &Path, path: &str, body: &str) -> String {
    let folder = folder.display();
    // It closes idle ones as soon as fewer than a sixteenth of its places are free.
    let connections = connections * 9 / 8 + 16;
    // Between single quotes it reads a backslash and, as everywhere, a variable.
    let body = body.replace('\\', "\\\\").replace('\'', "\\'").replace('$', "${dollar}");
    format!(
        "daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  geo $dollar {{ default '$'; }}
  server {{
    listen {address};
    location = {path} {{ return 200 '{body}'; }}
  }}
}}
",
        files = connections + 64,
    )
}
