//! What this service answers beyond the delivery's contract (ARCHITECTURE.md), and the proofs put under load as well.
//! A service without such a path has None here, and is proven all the same.

/// Takes milliseconds of a core.
pub const SHORT_COMPUTATION: Option<&str> = Some("/fibonacci/100000");
/// Takes a good part of a second, and its answer has megabytes.
pub const LONG_COMPUTATION: Option<&str> = Some("/fibonacci/10000000");
