//! A recorded MPI run: what each rank asked of MPI, in program order, and what MPI told it.
//!
//! [`event`] is the model, [`Writer`] turns events into bytes without allocation, [`Reader`] turns bytes of unknown
//! origin into events, [`Trace`] is a whole run.
//!
//! # The file of a rank
//! A [`Header`] of fixed size, then records. A record is its length (a varint, never 0) and so many bytes: a kind byte (bit 7: a
//! thread number follows), the call site, and the fields of the event in the order of their declaration. Integers are LEB128 varints, signed ones
//! zigzag-coded first; request numbers are distances from the last one. The file only grows. It ends where the bytes end, at a length of 0 (a
//! file that was reserved before it was filled), or within a record that was not finished: that record does not count.
//!
//! A call is recorded when it returns, so that its outcome is part of the record; a call that never returned is not there.
//!
//! # What may be missed
//! Contents of messages, and everything that the program does outside MPI.
#![forbid(unsafe_code)]

mod basic;
pub mod event;
mod header;
mod read;
mod sink;
mod trace;
mod wire;
mod write;

pub use basic::Basic;
pub use event::{Event, Record};
pub use header::{HEADER_BYTES, Header, MAGIC, VERSION};
pub use read::{ReadError, Reader};
pub use sink::ROOM;
pub use trace::{RankTrace, Trace};
pub use write::{Full, Writer};
