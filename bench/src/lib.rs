//! What the programs in `bin` share with the command that measures them.

use serde::{Deserialize, Serialize};

/// The body of the service's answer to /hello, which every peer has to give too.
pub const HELLO: &str = r#"{"message":"Hello from argo-rust!"}"#;

/// How long a library took for one F(n), computed and in decimal text.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub n: u64,
    pub library: String,
    pub microseconds: f64,
}
