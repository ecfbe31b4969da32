//! The limit: one thread, one epoll, and always the same bytes for an answer.
//!
//! It knows of HTTP only that a blank line ends a request, so what a server needs beyond this is its own.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;

const LISTENER: u64 = u64::MAX;

struct Connection {
    stream: TcpStream,
    /// What the connection's first request said; looking it up for each one would cost what is measured.
    closes: Option<bool>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, answer] = arguments.as_slice() else { anyhow::bail!("usage: epoll ADDRESS ANSWER_FILE") };
    let answer = std::fs::read_to_string(answer).with_context(|| format!("cannot read {answer}"))?;
    let closing = answer.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;

    // By the number of their file descriptor, the cheapest look-up there is.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = Vec::with_capacity(256);
    let mut request = [0; 4096];
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                LISTENER => accept(&listener, &epoll, &mut connections)?,
                number => {
                    let place = &mut connections[usize::try_from(number)?];
                    if !place.as_mut().is_some_and(|connection| {
                        answered(connection, &mut request, answer.as_bytes(), closing.as_bytes())
                    }) {
                        *place = None;
                    }
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, epoll: &OwnedFd, connections: &mut Vec<Option<Connection>>) -> Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let number = usize::try_from(stream.as_raw_fd())?;
                epoll::add(epoll, &stream, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?;
                if connections.len() <= number {
                    connections.resize_with(number + 1, || None);
                }
                connections[number] = Some(Connection { stream, closes: None });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("cannot accept"),
        }
    }
}

/// False when the connection has ended. A request of these clients fits into one packet.
fn answered(connection: &mut Connection, buffer: &mut [u8], keeping: &[u8], closing: &[u8]) -> bool {
    let Ok(length @ 1..) = connection.stream.read(buffer) else { return false };
    let request = &buffer[..length];
    let closes = *connection.closes.get_or_insert_with(|| request.windows(17).any(|part| part == b"Connection: close"));
    let answer = if closes { closing } else { keeping };
    request.ends_with(b"\r\n\r\n") && connection.stream.write_all(answer).is_ok() && !closes
}
