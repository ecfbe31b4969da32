use std::io;
use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel holds for us until they are accepted.
const BACKLOG: u32 = 4096;

/// What a process needs besides its connections: logs, the runtime's own, two listeners, the metrics connections.
const OTHER_FILES: u64 = 128;

/// A port that could not be bound, and the setting that names it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; free the port or set {setting} to another")]
pub struct BindError {
    address: SocketAddr,
    setting: &'static str,
    source: io::Error,
}

pub fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, BindError> {
    let listener = listen(address).map_err(|source| BindError { address, setting, source })?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!(address = %bound, setting, "listening on {bound} ({setting})");
    Ok(listener)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of a process before this one may still be in TIME_WAIT on the same port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Many shells start processes with room for 1024 files: asks for as many as the connections need.
pub fn allow_open_files(connections: usize) {
    let needed = connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let current = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum });
    if raised.is_err() || current < needed {
        tracing::warn!(
            needed,
            allowed = current,
            "the limit on open files leaves room for fewer connections than ARGO_RUST_MAX_CONNECTIONS"
        );
    }
}
