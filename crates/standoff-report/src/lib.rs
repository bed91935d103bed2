//! What standoff found, as data ([`model`]), and its renderings: one module a format, each over [`std::io::Write`].
//!
//! A [`Report`] is the only thing that passes from the analysis to a display; nothing here looks at the running
//! job, reads a clock or asks the environment. (The user's source lines come through [`sources::Sources`].)
//!
//! ```
//! use standoff_report::sources::NoSources;
//! use standoff_report::text::{self, Options};
//! use standoff_report::{Report, Scope, Verdict, json};
//!
//! let report = Report::new(Verdict::Clean, Scope::ThisRun, 9);
//! let mut shown = Vec::new();
//! text::write(&report, &NoSources, Options::default(), &mut shown)?;
//! assert_eq!(shown, b"standoff: clean: 9 ranks, no deadlock in this run\n");
//!
//! let mut stored = Vec::new();
//! json::write(&report, &mut stored)?;
//! assert_eq!(json::read(&stored[..]).unwrap(), report);
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod json;
pub mod model;
pub mod ranks;
pub mod signals;
pub mod sources;
pub mod text;

pub use model::{
    Abi, AgentEntry, CallEntry, Cause, Exit, Finding, FindingKind, Frame, MpiInfo, Op, Report,
    RequestEntry, SCHEMA, Scope, Severity, Step, Traceback, Verdict, WaitKind,
};
