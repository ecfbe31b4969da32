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
    // What is accepted inherits it: an answer must not wait for the client's acknowledgement of the one before.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Many shells start processes with room for 1024 files: asks for as many as the connections need, and returns for
/// how many of them there is room. So the connections of one port never use up what the other one needs.
pub fn allow_open_files(connections: usize) -> usize {
    let needed = connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < needed) else { return connections };
    let wanted = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    let allowed = if raised.is_ok() { wanted } else { current };
    if allowed == needed {
        return connections;
    }
    let room = allowed.saturating_sub(OTHER_FILES).max(1) as usize;
    tracing::warn!(
        files = allowed,
        connections = room,
        "the limit of {allowed} open files leaves room for {room} connections, fewer than ARGO_RUST_MAX_CONNECTIONS"
    );
    room
}
