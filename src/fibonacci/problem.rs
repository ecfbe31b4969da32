use super::calculator::QueueFull;
use super::index::IndexError;
use crate::server::problem::Problem;

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<QueueFull> for Problem {
    fn from(error: QueueFull) -> Self {
        Self::unavailable(error.to_string())
    }
}
