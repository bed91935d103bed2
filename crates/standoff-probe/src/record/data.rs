//! Buffers of messages: their size, and other ways to send them.

use crate::P;
use crate::abi::Abi;
use crate::hooks::groups::library;
use core::sync::atomic::{AtomicUsize, Ordering};

/// What a call was given to send or receive into: elements and their type.
#[derive(Clone, Copy)]
pub(crate) struct Data {
    pub buffer: P,
    pub count: i64,
    pub dtype: usize,
}

/// Calls a procedure of the library whose first arguments are a buffer, a count and a type; in its large form if the count needs that.
macro_rules! with_buffer {
    ($data:expr, $name:literal, $large:literal, ($($arg:expr => $t:ty),*)) => {{
        let data: Data = $data;
        match i32::try_from(data.count) {
            Ok(count) => {
                let f = library!($name, fn(P, i32, usize, $($t),*))?;
                // SAFETY: MPI's signature; the arguments are those of a call of the program's, or as good.
                unsafe { f(data.buffer, count, data.dtype, $($arg),*) }
            }
            Err(_) => {
                let f = library!($large, fn(P, i64, usize, $($t),*))?;
                // SAFETY: as above.
                unsafe { f(data.buffer, data.count, data.dtype, $($arg),*) }
            }
        }
    }};
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

    /// `MPI_Ssend` of it; `None`: the library cannot.
    pub fn ssend(self, dest: i32, tag: i32, comm: usize) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Ssend", c"PMPI_Ssend_c",
            (dest => i32, tag => i32, comm => usize)))
    }

    /// `MPI_Issend` of it.
    pub fn issend(self, dest: i32, tag: i32, comm: usize, request: P) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Issend", c"PMPI_Issend_c",
            (dest => i32, tag => i32, comm => usize, request => P)))
    }

    /// `MPI_Isend` of it.
    pub fn isend(self, dest: i32, tag: i32, comm: usize, request: P) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Isend", c"PMPI_Isend_c",
            (dest => i32, tag => i32, comm => usize, request => P)))
    }

    /// `MPI_Ssend_init` of it.
    pub fn ssend_init(self, dest: i32, tag: i32, comm: usize, request: P) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Ssend_init", c"PMPI_Ssend_init_c",
            (dest => i32, tag => i32, comm => usize, request => P)))
    }

    /// `MPI_Recv` into it.
    pub fn recv(self, source: i32, tag: i32, comm: usize, status: P) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Recv", c"PMPI_Recv_c",
            (source => i32, tag => i32, comm => usize, status => P)))
    }

    /// `MPI_Irecv` into it.
    pub fn irecv(self, source: i32, tag: i32, comm: usize, request: P) -> Option<i32> {
        Some(with_buffer!(self, c"PMPI_Irecv", c"PMPI_Irecv_c",
            (source => i32, tag => i32, comm => usize, request => P)))
    }

    /// A copy of it, packed. `None` also if it is larger than an `int` can say.
    pub fn packed(self, comm: usize) -> Option<Vec<u8>> {
        let count = i32::try_from(self.count).ok()?;
        let size = library!(c"PMPI_Pack_size", fn(i32, usize, usize, *mut i32))?;
        let pack = library!(
            c"PMPI_Pack",
            fn(P, i32, usize, *mut u8, i32, *mut i32, usize)
        )?;
        let (mut room, mut used) = (0i32, 0i32);
        // SAFETY: MPI's signatures, a buffer of the size that the library asked for.
        unsafe {
            if size(count, self.dtype, comm, &raw mut room) != 0 {
                return None;
            }
            let mut copy = vec![0u8; usize::try_from(room).ok()?];
            let to = copy.as_mut_ptr();
            let rc = pack(
                self.buffer,
                count,
                self.dtype,
                to,
                room,
                &raw mut used,
                comm,
            );
            copy.truncate(usize::try_from(used).ok()?);
            (rc == 0).then_some(copy)
        }
    }

    /// Bytes that were packed, as a message.
    pub fn of_packed(abi: &Abi, bytes: &mut [u8]) -> Data {
        Data {
            buffer: bytes.as_mut_ptr().cast(),
            count: bytes.len() as i64,
            dtype: abi.packed,
        }
    }

    /// Lower bound and length in bytes of the memory of `count` elements, and the distance between two.
    pub fn span(self) -> Option<(isize, usize, isize)> {
        let extent = library!(c"PMPI_Type_get_extent", fn(usize, *mut isize, *mut isize))?;
        let real = library!(
            c"PMPI_Type_get_true_extent",
            fn(usize, *mut isize, *mut isize)
        )?;
        let (mut lower, mut distance, mut first, mut length) = (0isize, 0isize, 0isize, 0isize);
        // SAFETY: MPI's signatures; MPI_Aint is a signed word.
        let rc = unsafe {
            extent(self.dtype, &raw mut lower, &raw mut distance)
                | real(self.dtype, &raw mut first, &raw mut length)
        };
        let more = isize::try_from(self.count - 1).ok()?.max(0);
        let whole = length.checked_add(more.checked_mul(distance)?)?;
        (rc == 0).then_some((first, usize::try_from(whole).ok()?, distance))
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
