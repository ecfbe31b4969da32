use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::sockopt::set_ipv6_v6only;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel holds for us until they are accepted.
const BACKLOG: u32 = 4096;

/// What a process needs besides its connections: logs, the runtime's own, two listeners, the metrics connections.
const OTHER_FILES: u64 = 128;

/// A port that could not be bound, and the setting that names it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", advice(source.kind(), setting))]
pub struct BindError {
    address: SocketAddr,
    setting: &'static str,
    source: io::Error,
}

pub fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, BindError> {
    let listener = listen(address).or_else(|error| {
        let instead = without_ipv6(address, &error).ok_or(error)?;
        tracing::info!("this machine has no IPv6: listening on {instead} instead of {address}");
        listen(instead)
    });
    let listener = listener.map_err(|source| BindError { address, setting, source })?;
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
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // Every address of this machine is meant, IPv4 too, whatever the machine's own default is.
        set_ipv6_v6only(&socket, false)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The same in IPv4, where all addresses are meant and there are none of IPv6.
fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let is_missing = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    (is_missing && address.ip() == Ipv6Addr::UNSPECIFIED).then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into())
}

fn advice(kind: io::ErrorKind, setting: &str) -> String {
    match kind {
        io::ErrorKind::AddrInUse => format!("free the port or set {setting} to another"),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no such address: set {setting} to one that it has, or to [::] for all of them")
        }
        io::ErrorKind::PermissionDenied => format!("a port below 1024 needs a right: set {setting} to a higher one"),
        _ => format!("set {setting} to another address"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_ipv6_is_served_on_ipv4_where_every_address_is_meant() {
        let check = |address: &str, errno: Errno, expected: Option<&str>| {
            let instead = without_ipv6(address.parse().expect("an address"), &errno.into());
            assert_eq!(instead, expected.map(|text| text.parse().expect("an address")), "{address} {errno}");
        };
        check("[::]:8080", Errno::AFNOSUPPORT, Some("0.0.0.0:8080"));
        check("[::]:8080", Errno::ADDRNOTAVAIL, Some("0.0.0.0:8080"));
        check("[::]:8080", Errno::ADDRINUSE, None);
        check("[::1]:8080", Errno::ADDRNOTAVAIL, None);
        check("192.0.2.1:8080", Errno::ADDRNOTAVAIL, None);
    }
}
