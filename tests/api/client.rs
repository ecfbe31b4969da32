use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }
}

/// One connection that is never opened again behind the test's back.
pub struct Connection(SendRequest<Empty<Bytes>>);

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| format!("{error:?}"))?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(path).header("host", "argo-rust");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        let response = self.0.send_request(request).await.map_err(|error| format!("send: {error:?}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("body: {error:?}"))?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send("GET", path, &[]).await
    }
}

/// One request on a connection of its own.
pub async fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut connection = Connection::open(address).await.expect("the service accepts");
    connection.send(method, path, headers).await.expect("the service answers")
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, &[]).await
}

/// The value of one series, or none where it does not exist.
pub async fn value(metrics: SocketAddr, series: &str) -> Option<f64> {
    let answer = get(metrics, "/metrics").await;
    let line = answer.text().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned));
    line.map(|value| value.parse().expect("a sample is a number"))
}

/// A socket for what a proper client would not send.
pub async fn raw(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the service accepts");
    stream.write_all(bytes.as_bytes()).await.expect("the service reads");
    stream
}

/// Everything until the service closes; the error where it resets the connection instead.
pub async fn read_to_end(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A client whose buffers are full and who never reads: the answers to its requests stay half sent.
pub async fn stuck_reader(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    // Together far more than the kernel buffers on both sides.
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: argo-rust\r\n\r\n".repeat(1_500);
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.readable().await.unwrap();
    stream
}
