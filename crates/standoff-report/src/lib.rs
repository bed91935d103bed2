//! What standoff found, as data ([`model`]), and its renderings: one module a format, each over [`std::io::Write`].
//!
//! A [`Report`] is the only thing that passes from the analysis to a display; nothing here looks at the running
//! job, reads a clock or asks the environment.
#![forbid(unsafe_code)]

pub mod model;

pub use model::{
    Abi, AgentEntry, Cause, Exit, Finding, FindingKind, Frame, MpiInfo, Op, Report, RequestEntry,
    SCHEMA, Scope, Severity, Verdict, WaitKind,
};
