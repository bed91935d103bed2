//! Numbers of the event kinds, and the primitives both sides share.

/// Kinds, in bits 0 to 6 of a record's first byte.
pub(crate) mod kind {
    pub(crate) const SITE_NATIVE: u8 = 1;
    pub(crate) const SITE_SCRIPT: u8 = 2;
    pub(crate) const COMM: u8 = 3;
    pub(crate) const INIT: u8 = 4;
    pub(crate) const FINALIZE: u8 = 5;
    pub(crate) const SEND: u8 = 6;
    pub(crate) const RECV: u8 = 7;
    pub(crate) const SENDRECV: u8 = 8;
    pub(crate) const PROBE: u8 = 9;
    pub(crate) const MRECV: u8 = 10;
    pub(crate) const COMPLETE: u8 = 11;
    pub(crate) const CANCEL: u8 = 12;
    pub(crate) const REQUEST_FREE: u8 = 13;
    pub(crate) const COLLECTIVE: u8 = 14;
    pub(crate) const BUFFER: u8 = 15;
    pub(crate) const UNMODELLED: u8 = 16;
    /// The thread's number follows.
    pub(crate) const THREAD: u8 = 0x80;
}

/// What is there, in the flag byte of sends, receives, probes and collectives.
pub(crate) mod flag {
    pub(crate) const REQUEST: u8 = 1;
    pub(crate) const PERSISTENT: u8 = 2;
    pub(crate) const ANY_SOURCE: u8 = 4;
    pub(crate) const ANY_TAG: u8 = 8;
    pub(crate) const TOLD: u8 = 16;
    pub(crate) const POLL: u8 = 32;
    pub(crate) const MESSAGE: u8 = 64;
    /// Of sends and receives: the type of the elements is known.
    pub(crate) const TYPE: u8 = 128;
    /// Two bits, of a send.
    pub(crate) const MODE: u8 = 2;
    pub(crate) const DATA: u8 = 2;
    pub(crate) const NO_DATA: u8 = 64;
    pub(crate) const MEMBERS: u8 = 4;
    pub(crate) const SIGNATURE: u8 = 8;
    /// Of a collective: which start of a persistent one it is follows its number.
    pub(crate) const STARTED: u8 = 128;
    /// Two bits, of a collective.
    pub(crate) const ROOT: u8 = 4;
    pub(crate) const REMOTE: u8 = 1;
    pub(crate) const SOURCES: u8 = 2;
}

/// How the told requests are given, in the high bits of a completion's call byte.
pub(crate) mod told {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const ALL: u8 = 0x10;
    pub(crate) const SOME: u8 = 0x20;
}

pub(crate) fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

pub(crate) fn unzigzag(v: u64) -> i64 {
    ((v >> 1) as i64) ^ -((v & 1) as i64)
}

/// Longest record that is read: a group of two million ranks fits.
pub(crate) const RECORD_MAX: u64 = 1 << 24;
