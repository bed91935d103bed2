//! What standoff found, as data ([`model`]), and its renderings: one module a format, each over [`std::io::Write`].
//!
//! A [`Report`] is the only thing that passes from the analysis to a display; nothing here looks at the running
//! job, reads a clock or asks the environment. (The user's source lines come through [`sources::Sources`].)
#![forbid(unsafe_code)]

pub mod json;
pub mod model;
pub mod ranks;
pub mod sources;
pub mod text;

pub use model::{
    Abi, AgentEntry, Cause, Exit, Finding, FindingKind, Frame, MpiInfo, Op, Report, RequestEntry,
    SCHEMA, Scope, Severity, Verdict, WaitKind,
};
