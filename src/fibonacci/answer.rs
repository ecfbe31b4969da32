use std::convert::Infallible;
use std::mem::take;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::arithmetic::Digits;

/// Digits are made into text in pieces of this size, when the connection has room for one.
const PIECE: usize = 16 * 1024;

/// The text of an answer that waits for its client at the same time: hyper takes up to 16 pieces ahead.
pub const MOST_AHEAD: usize = 16 * PIECE;

/// A body of digits, with the place in the calculator's queue that they hold.
pub struct Answer {
    before: String,
    digits: Digits,
    after: &'static str,
    place: Option<Arc<OwnedSemaphorePermit>>,
}

impl Answer {
    pub fn new(digits: Digits, place: Option<OwnedSemaphorePermit>) -> Self {
        Self { before: String::new(), digits, after: "", place: place.map(Arc::new) }
    }

    /// The digits between what stands before and after them, whole where that is little.
    pub fn into_body(mut self, before: String, after: &'static str) -> Body {
        (self.before, self.after) = (before, after);
        if self.left() <= PIECE { Body::from(self.piece()) } else { Body::new(self) }
    }

    fn left(&self) -> usize {
        self.before.len() + self.digits.len() + self.after.len()
    }

    fn piece(&mut self) -> Bytes {
        let mut text = take(&mut self.before).into_bytes();
        text.reserve_exact(self.left().min(PIECE) + 4);
        self.digits.take(PIECE, &mut text);
        if self.digits.is_empty() {
            text.extend_from_slice(take(&mut self.after).as_bytes());
        }
        match &self.place {
            None => Bytes::from(text),
            Some(place) => Bytes::from_owner(Piece { text, _place: place.clone() }),
        }
    }
}

/// Keeps the place of its answer until it has been handed to the socket: slow readers of long answers use up the
/// queue, never the memory.
struct Piece {
    text: Vec<u8>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = (self.left() > 0).then(|| Ok(Frame::data(self.piece())));
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left() as u64)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::fibonacci::arithmetic::{compute, digits};

    #[tokio::test]
    async fn the_pieces_of_a_long_answer_are_the_whole_of_it_and_its_length_is_known() {
        let check = async |n: u64, before: &str, after: &'static str| {
            let expected = format!("{before}{}{after}", digits(n));
            let body = Answer::new(compute(n), None).into_body(before.to_owned(), after);
            assert_eq!(body.size_hint().exact(), Some(expected.len() as u64), "F({n})");
            let whole = body.collect().await.expect("a body of digits cannot fail").to_bytes();
            assert!(whole == expected, "F({n}) after {before:?}");
        };
        for n in [187, 1_000, 78_000, 78_394, 78_396, 78_398, 78_400, 78_402, 78_404, 300_000] {
            check(n, "", "").await;
            check(n, "{", "}").await;
        }
    }

    #[tokio::test]
    async fn no_piece_is_larger_than_what_its_place_was_taken_for() {
        let mut body = Answer::new(compute(500_000), None).into_body("{".to_owned(), "}");
        let mut pieces = 0;
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("a body of digits cannot fail").into_data().expect("there are no trailers");
            assert!(piece.len() <= PIECE + 2, "{}", piece.len());
            pieces += 1;
        }
        assert_eq!(pieces, 7, "F(500000) has 104,494 digits");
    }
}
