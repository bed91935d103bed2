//! Runs the example programs under standoff and checks what their headers promise.
//!
//! - [`header`]: the expectation header of an example, and its `@core` marks;
//! - [`environment`]: the MPI libraries to test against;
//! - [`artifacts`]: the `standoff` binary and the probe of this build;
//! - [`compile`]: compiled examples, made once for each MPI library;
//! - [`execute`]: one run, under a backstop, and what was left of it;
//! - [`compare`]: expectation against observation. Pure, and tested with observations that must fail.
//!
//! Nothing is retried, and no run is waited for by sleeping. A time-out is a backstop; reaching it is a failure.

pub mod artifacts;
pub mod compare;
pub mod compile;
pub mod environment;
pub mod example;
pub mod execute;
pub mod header;
pub mod load;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate lies two levels below the root")
        .to_owned()
}

/// True in continuous integration, where a missing environment is a failure and not a reason to skip.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
