//! The memory that a rank writes and the monitor reads.
//!
//! One process, one file (a *board*), one layout: [`layout`] is the contract between the preloaded probe (writer) and the
//! monitor (reader). [`abi`] has the numbers of the MPI ABIs. [`digest`] is the structure by which both ends of a channel tell which messages are in flight.
//! [`read`] takes copies of boards without ever trusting their content; [`source`] tells the user's own files from others.
//!
//! The writer is one process whose threads exclude each other; the reader never writes but for the command word.
//! Consistency is by an epoch (a sequence lock): odd while the writer changes something; see [`layout::Header::epoch`].
pub mod abi;
pub mod digest;
pub mod functions;
pub mod layout;
pub mod read;
pub mod source;
