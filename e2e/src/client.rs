//! An HTTP client that opens no connection and repeats no request behind the test's back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};

pub struct Answer {
    pub status: StatusCode,
    /// Of the body, which has arrived completely.
    pub length: usize,
    /// The service said that it closes the connection.
    pub closes: bool,
}

/// An address of this machine's that nobody has come from yet: a connection that nobody took stays in the kernel's table for
/// two minutes, and whoever comes from the same port again is led as it was.
pub fn another_address() -> Ipv4Addr {
    static USED: AtomicU16 = AtomicU16::new(1);
    let [high, low] = USED.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// From such an address, or any other of this machine's.
pub async fn connect(from: Ipv4Addr, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(address).await
}

pub struct Connection(SendRequest<Empty<Bytes>>);

impl Connection {
    pub async fn open(from: Ipv4Addr, address: SocketAddr) -> Result<Self, String> {
        let stream = connect(from, address).await.map_err(|error| format!("connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| format!("{error:?}"))?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        let request = Request::get(path).header(header::HOST, "argo-rust").body(Empty::new());
        let request = request.map_err(|error| error.to_string())?;
        let response = self.0.send_request(request).await.map_err(|error| format!("send: {error:?}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("body: {error:?}"))?;
        let closes = head.headers.get(header::CONNECTION).is_some_and(|value| value == "close");
        Ok(Answer { status: head.status, length: body.to_bytes().len(), closes })
    }
}
