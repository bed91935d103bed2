//! Buffers of messages: their size, and other ways to send them.

use crate::P;
use core::sync::atomic::{AtomicUsize, Ordering};

/// What a call was given to send or receive into: elements and their type.
#[derive(Clone, Copy)]
pub(crate) struct Data {
    buffer: P,
    pub count: i64,
    pub dtype: usize,
}

impl Data {
    /// `count` elements; a plain count or a large one.
    #[inline(always)]
    pub fn new(buffer: P, count: impl Into<i64>, dtype: usize) -> Data {
        Data {
            buffer,
            count: count.into(),
            dtype,
        }
    }

    /// `MPI_Ssend` of it, if the library has that and the count fits.
    pub fn ssend(self, dest: i32, tag: i32, comm: usize) -> Option<i32> {
        let f = crate::symbols::library(c"PMPI_Ssend")?;
        let count = i32::try_from(self.count).ok()?;
        // SAFETY: MPI's signature; the arguments are those of the program's own send.
        Some(unsafe {
            core::mem::transmute::<
                usize,
                unsafe extern "C-unwind" fn(P, i32, usize, i32, i32, usize) -> i32,
            >(f)(self.buffer, count, self.dtype, dest, tag, comm)
        })
    }

    /// `MPI_Issend` of it.
    pub fn issend(self, dest: i32, tag: i32, comm: usize, request: P) -> Option<i32> {
        let f = crate::symbols::library(c"PMPI_Issend")?;
        let count = i32::try_from(self.count).ok()?;
        // SAFETY: as above.
        Some(unsafe {
            core::mem::transmute::<
                usize,
                unsafe extern "C-unwind" fn(P, i32, usize, i32, i32, usize, P) -> i32,
            >(f)(self.buffer, count, self.dtype, dest, tag, comm, request)
        })
    }

    /// Its size in bytes, as the library counts it; 0 if it does not tell.
    pub fn bytes(self) -> u64 {
        static TYPE_SIZE: AtomicUsize = AtomicUsize::new(0);
        let mut f = TYPE_SIZE.load(Ordering::Relaxed);
        if f == 0 {
            f = crate::symbols::library(c"PMPI_Type_size").unwrap_or(0);
            TYPE_SIZE.store(f, Ordering::Relaxed);
        }
        if f == 0 {
            return 0;
        }
        let mut size = 0i32;
        // SAFETY: the signature of MPI_Type_size, which is local; the program has just used the type.
        let rc = unsafe {
            core::mem::transmute::<usize, unsafe extern "C" fn(usize, *mut i32) -> i32>(f)(
                self.dtype,
                &raw mut size,
            )
        };
        let size = if rc == 0 { size.max(0) } else { 0 };
        self.count.max(0) as u64 * size as u64
    }
}
