//! The wait-for graph of `standoff`, its reduction, and the cores of what remains.
//!
//! Pure: no input or output, no clock, no `unsafe`, and nothing of MPI. Whoever uses it says who waits for what
//! ([`Graph`]); [`reduce()`] finds who can never be released; [`cores()`] says why.
//!
//! ```
//! use standoff_core::{Assume, CoreKind, Graph, Need, Strength, cores, reduce};
//!
//! let mut graph = Graph::new();
//! let (a, b, c) = (graph.add_agent(), graph.add_agent(), graph.add_agent());
//! graph.set_wait(a, Need::All, Strength::Must, &[b]);
//! graph.set_wait(b, Need::All, Strength::Must, &[a]);
//! graph.set_wait(c, Need::Any, Strength::Must, &[a, b]);
//!
//! let reduction = reduce(&graph, Assume::MayWaitsPass);
//! assert_eq!(reduction.stuck_agents().collect::<Vec<_>>(), [a, b, c]);
//!
//! let cores = cores(&graph, &reduction);
//! assert_eq!(cores.len(), 1);
//! assert_eq!(cores[0].kind, CoreKind::Cycle);
//! assert_eq!(cores[0].cycle, [a, b]);
//! assert_eq!(cores[0].victims, [c]);
//! ```
#![forbid(unsafe_code)]

mod closure;
mod cores;
mod cycle;
mod ended;
mod graph;
mod reduce;
mod scc;
#[cfg(test)]
mod tests;
mod victims;

pub use cores::{Core, CoreKind, cores};
pub use graph::{Condition, Graph, Need, NodeId, Strength};
pub use reduce::{Assume, Reduction, reduce};
