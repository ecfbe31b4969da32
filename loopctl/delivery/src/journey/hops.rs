//! The hops of a journey, in their order: a table of contents. Each file says of one hop where the commit is.

use super::answer::{End, Hop, HopState};
use super::facts::Facts;

pub struct Each {
    pub name: &'static str,
    pub look: fn(&Facts) -> Look,
}

macro_rules! hops {
    ($($file:ident),* $(,)?) => {
        $(pub mod $file;)*
        pub const HOPS: &[Each] = &[$(Each { name: $file::NAME, look: $file::look }),*];
    };
}

hops![pushed, built, image, bump, seen, synced, pods, answering];

/// What is to be said of a hop, and whether the next one comes into question.
pub struct Look {
    /// The hop itself, and others of which something is known meanwhile; none where nothing is to be said yet.
    pub hops: Vec<Hop>,
    pub end: Option<End>,
    pub goes_on: bool,
}

impl Look {
    /// A commit gets no further than the first hop that is in its way.
    pub fn at(hop: Hop) -> Self {
        let goes_on = matches!(hop.state, HopState::Done | HopState::Skipped | HopState::Unseen);
        Self { hops: vec![hop], end: None, goes_on }
    }

    pub fn nothing() -> Self {
        Self { hops: Vec::new(), end: None, goes_on: true }
    }

    pub fn ends(hop: Option<Hop>, end: End) -> Self {
        Self { hops: hop.into_iter().collect(), end: Some(end), goes_on: false }
    }

    pub fn with(mut self, more: impl IntoIterator<Item = Hop>) -> Self {
        self.hops.extend(more);
        self
    }
}
