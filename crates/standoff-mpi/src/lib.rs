//! MPI semantics for standoff: from a [`Picture`] of a job to what is stuck in it, and why.
//!
//! [`analyse`] turns a picture into a wait-for graph (crate `standoff-core`), reduces it once for what MPI promises and
//! once for what one library does, and describes each core that remains. [`explain()`] and [`advise`] put a finding into
//! words. Everything here is pure: no input or output, no clock.
//!
//! # What is never reported falsely
//! Every wait in the graph is a *necessary* condition of the real one: if the real call can be released, so can the
//! node. Whatever is not known is free. So an agent in [`Analysis::strict`] can be released by no continuation that MPI allows.
//! An agent in [`Analysis::lenient`] can be released only by the MPI library letting a call go that it may also hold; the
//! caller must therefore see everybody in [`Finding::closure`] not moving for a while.
//!
//! # What may be missed
//! Whoever may be released by something unknown; see "Limits" in `docs/algorithms/matching.md` and `collectives.md`.
#![forbid(unsafe_code)]

mod advice;
mod agents;
mod analysis;
mod collectives;
mod describe;
mod explain;
pub mod format;
mod group;
mod index;
mod matching;
mod near;
pub mod picture;
mod plan;
mod reason;
mod spelling;
mod wiring;

pub use advice::{Departure, advise};
pub use agents::Agent;
pub use analysis::{Analysis, analyse};
pub use explain::{describe, explain};
pub use picture::Picture;
pub use reason::{
    Agents, Blocked, BlockedOp, CollectiveMismatch, CollectiveVariant, Finding, OpKind, Peer,
    PostedReceive, Ranks, Reason, SentTag,
};
pub use spelling::Spelling;
