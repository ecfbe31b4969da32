//! The journey of one commit from its push to the pods: what is known of it, and what follows from that.
//!
//! `collect` asks the outside systems, all at once; `decide` is a pure function from what they said to an answer.

pub mod answer;
pub mod argocd;
pub mod branch;
pub mod collect;
pub mod decide;
pub mod endpoint;
pub mod facts;
pub mod follow;
pub mod hops;
pub mod kept;
pub mod since;
pub mod waiting;
pub mod workflow;

#[cfg(test)]
mod cases;
