use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_io_timeout::TimeoutWriter;

use super::activity::Activity;

/// A socket with what was read from it too early, and a limit on the time a write may stand still.
pub struct Stream {
    pub unread: Bytes,
    pub reader: Reader,
    pub activity: Arc<Activity>,
    writer: Pin<Box<TimeoutWriter<OwnedWriteHalf>>>,
}

/// The reading side, also for who only has to know whether the client is still there.
#[derive(Clone)]
pub struct Reader(Arc<Mutex<OwnedReadHalf>>);

impl Stream {
    pub fn new(socket: TcpStream, write_timeout: Duration, activity: Arc<Activity>) -> Self {
        let (reader, writer) = socket.into_split();
        let mut writer = TimeoutWriter::new(writer);
        writer.set_timeout(Some(write_timeout));
        let reader = Reader(Arc::new(Mutex::new(reader)));
        Self { unread: Bytes::new(), reader, activity, writer: Box::pin(writer) }
    }
}

impl Reader {
    /// Ready when there is something to read, which it leaves there; with `false` when nothing will come any more.
    pub fn poll_says_something(&self, context: &mut Context<'_>) -> Poll<bool> {
        let peeked = self.socket().poll_peek(context, &mut ReadBuf::new(&mut [0]));
        peeked.map(|length| length.is_ok_and(|length| length > 0))
    }

    fn socket(&self) -> MutexGuard<'_, OwnedReadHalf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut *self.reader.socket()).poll_read(context, buffer);
        }
        let fits = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(fits));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.activity.is_answering() {
            // hyper refuses a head by an answer of its own, which is empty: `refusal.rs` writes one instead.
            return Poll::Ready(Ok(bytes.len()));
        }
        self.writer.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(context)
    }
}
