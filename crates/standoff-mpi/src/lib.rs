//! MPI semantics for standoff: from a [`Picture`](picture::Picture) of a job to what is stuck and why.
#![forbid(unsafe_code)]
pub mod picture;
