use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;

use super::problem::Problem;

/// What the API says of itself. It follows from the table of contents alone.
pub struct Contents {
    /// In the order of the table.
    pub paths: Vec<&'static str>,
    /// OpenAPI 3.1 as JSON.
    pub description: Bytes,
}

impl Contents {
    /// The paths as a sentence has them.
    pub fn listed(&self) -> String {
        match self.paths.as_slice() {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [before @ .., last] => format!("{} and {last}", before.join(", ")),
        }
    }
}

/// The fallback for a path that is no route.
pub async fn not_found(State(contents): State<Arc<Contents>>, uri: Uri) -> Problem {
    // The beginning is enough of a path that is as long as a head may be.
    let path = uri.path().get(..100).unwrap_or(uri.path());
    Problem::not_found(format!("{path} is not a path of this API; there are {}", contents.listed()))
}
