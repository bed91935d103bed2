//! A copy of a message, made before it is sent.

use super::Send;
use super::functions::Functions;
use super::memory::Memory;
use crate::P;
use crate::rank::Rank;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A message of our own.
pub(crate) struct Copy {
    bytes: Vec<u8>,
    /// What it is sent as.
    pub count: i64,
    pub dtype: usize,
    /// Bytes that were asked for.
    pub cost: usize,
}

impl Copy {
    /// How many bytes a copy of a message takes; `None` if it cannot be copied. `element`: [`Functions::dense`] of its type.
    pub fn cost(f: &Functions, element: Option<usize>, send: &Send) -> Option<usize> {
        match element {
            Some(size) => usize::try_from(send.data.count).ok()?.checked_mul(size),
            None => f.pack_size(send),
        }
    }

    /// Copies what has no gaps, in the program's own type.
    pub fn plain(memory: &Memory, send: &Send, cost: usize) -> Option<Copy> {
        let bytes = bytes(memory, send.data.buffer, cost)?;
        Some(Copy {
            bytes,
            count: send.data.count,
            dtype: send.data.dtype,
            cost,
        })
    }

    /// Copies what has gaps.
    pub fn packed(f: &Functions, rank: &Rank, send: &Send, cost: usize) -> Option<Copy> {
        let mut bytes = zeros(cost)?;
        let used = f.pack(send, &mut bytes)?;
        bytes.truncate(used);
        Some(Copy {
            bytes,
            count: i64::try_from(used).ok()?,
            dtype: rank.abi.packed,
            cost,
        })
    }

    /// Where it begins.
    pub fn address(&self) -> P {
        self.bytes.as_ptr().cast_mut().cast()
    }

    /// Bytes of the message.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// So many zeros, if there is memory for them.
fn zeros(length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    bytes.resize(length, 0);
    Some(bytes)
}

/// So many bytes from there; `None` if not all can be read.
fn bytes(memory: &Memory, from: P, length: usize) -> Option<Vec<u8>> {
    if memory.has(from, length) {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).ok()?;
        // SAFETY: memory of this process that can be read; the program may not write to it during its call.
        bytes.extend_from_slice(unsafe { core::slice::from_raw_parts(from.cast(), length) });
        return Some(bytes);
    }
    let mut bytes = zeros(length)?;
    read(from, &mut bytes).then_some(bytes)
}

/// Copies memory of this process through the kernel, which gives an error for what only looks like it (a device's memory). False if not all could be read.
fn read(from: P, to: &mut [u8]) -> bool {
    if to.is_empty() {
        return true;
    }
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast(),
        iov_len: to.len(),
    };
    let remote = libc::iovec {
        iov_base: from,
        iov_len: to.len(),
    };
    // SAFETY: writes to `to` only; an address that cannot be read is an error.
    let n = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    if usize::try_from(n).is_ok_and(|n| n == to.len()) {
        return true;
    }
    // Some containers forbid that call.
    File::open("/proc/self/mem").is_ok_and(|memory| memory.read_exact_at(to, from as u64).is_ok())
}
