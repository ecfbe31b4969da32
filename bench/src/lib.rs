//! What the peers share with the command that measures them.

/// The body of the service's answer to /hello, which every peer has to give too.
pub const HELLO: &str = r#"{"message":"Hello from argo-rust!"}"#;
