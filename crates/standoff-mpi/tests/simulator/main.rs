//! The analysis against a small reference simulator of MPI that explores every continuation.

mod model;
mod picture;
mod properties;
