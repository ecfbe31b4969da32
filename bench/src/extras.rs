//! What this service answers beyond the delivery's contract (ARCHITECTURE.md), and is measured as well.
//! A service without them has none here; one that does not answer them is measured without, and a note says so.

/// Small answers that are computed, beside those of the probe's path; `--path` names others.
pub const PATHS: [&str; 1] = ["/fibonacci/42"];

/// The largest computation, with which a pod is flooded.
pub const FLOOD: Option<&str> = Some("/fibonacci/10000000");
