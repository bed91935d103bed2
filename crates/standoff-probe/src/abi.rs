//! Constants of the three MPI ABIs (checked against each library's own mpi.h by the `abi` test of the test kit).

use crate::symbols;
use standoff_board::layout::{ANY, abi, root};

/// What the hooks need to know of an ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abi {
    /// One of [`abi`].
    pub kind: u32,
    /// Handles are 4-byte integers (upper half of a register is garbage, arrays have stride 4).
    pub small_handles: bool,
    pub any_source: i32,
    pub any_tag: i32,
    pub proc_null: i32,
    pub root: i32,
    pub comm_world: usize,
    pub comm_self: usize,
    pub comm_null: usize,
    pub request_null: usize,
    /// `MPI_STATUS_IGNORE` (and `MPI_STATUSES_IGNORE`).
    pub status_ignore: usize,
    pub status_size: usize,
    /// Offsets of `MPI_SOURCE` and `MPI_TAG` in a status.
    pub status_source: usize,
    pub status_tag: usize,
}

impl Abi {
    /// Finds out which ABI the loaded library has; `None` if it lacks what every library has.
    pub fn detect() -> Option<Abi> {
        if let Some(comm_world) = symbols::data(c"ompi_mpi_comm_world") {
            return Some(Abi {
                kind: abi::OPENMPI,
                small_handles: false,
                any_source: -1,
                any_tag: -1,
                proc_null: -2,
                root: -4,
                comm_world,
                comm_self: symbols::data(c"ompi_mpi_comm_self")?,
                comm_null: symbols::data(c"ompi_mpi_comm_null")?,
                request_null: symbols::data(c"ompi_request_null")?,
                status_ignore: 0,
                status_size: 24,
                status_source: 0,
                status_tag: 4,
            });
        }
        if standard() {
            return Some(Abi {
                kind: abi::STANDARD,
                small_handles: false,
                any_source: -1,
                any_tag: -2,
                proc_null: -3,
                root: -4,
                comm_world: 0x101,
                comm_self: 0x102,
                comm_null: 0x100,
                request_null: 0x180,
                status_ignore: 0,
                status_size: 32,
                status_source: 0,
                status_tag: 4,
            });
        }
        Some(Abi {
            kind: abi::MPICH,
            small_handles: true,
            any_source: -2,
            any_tag: -1,
            proc_null: -1,
            root: -3,
            comm_world: 0x4400_0000,
            comm_self: 0x4400_0001,
            comm_null: 0x0400_0000,
            request_null: 0x2c00_0000,
            status_ignore: 1,
            status_size: 20,
            status_source: 8,
            status_tag: 12,
        })
    }

    /// A handle as a key: without the garbage above a 4-byte one.
    #[inline(always)]
    pub fn handle(&self, h: usize) -> usize {
        if self.small_handles {
            h & 0xffff_ffff
        } else {
            h
        }
    }

    /// The `i`-th handle of an array.
    ///
    /// # Safety
    /// `array` holds more than `i` handles.
    #[inline(always)]
    pub unsafe fn handle_at(&self, array: *const core::ffi::c_void, i: usize) -> usize {
        // SAFETY: by the caller's promise; strides are those of the ABI.
        unsafe {
            if self.small_handles {
                array.cast::<u32>().add(i).read_unaligned() as usize
            } else {
                array.cast::<usize>().add(i).read_unaligned()
            }
        }
    }

    /// A source or tag argument as it stands on the board.
    #[inline(always)]
    pub fn source(&self, source: i32) -> i32 {
        if source == self.any_source {
            ANY
        } else {
            source
        }
    }

    /// As [`Abi::source`].
    #[inline(always)]
    pub fn tag(&self, tag: i32) -> i32 {
        if tag == self.any_tag { ANY } else { tag }
    }

    /// A root argument as it stands on the board.
    pub fn root(&self, r: i32) -> i32 {
        match r {
            crate::hooks::NO_ROOT => root::NONE,
            r if r == self.root => root::ME,
            r if r == self.proc_null => root::NULL,
            r => r,
        }
    }

    /// Source and tag of a status.
    ///
    /// # Safety
    /// `status` points to a status of this ABI.
    #[inline(always)]
    pub unsafe fn envelope(&self, status: *const core::ffi::c_void) -> (i32, i32) {
        // SAFETY: by the caller's promise.
        unsafe {
            (
                status
                    .byte_add(self.status_source)
                    .cast::<i32>()
                    .read_unaligned(),
                status
                    .byte_add(self.status_tag)
                    .cast::<i32>()
                    .read_unaligned(),
            )
        }
    }
}

/// The library implements the MPI-5 standard ABI.
fn standard() -> bool {
    let Some(f) = symbols::library(c"PMPI_Abi_get_version") else {
        return false;
    };
    let (mut major, mut minor) = (-1i32, -1i32);
    // SAFETY: MPI-5 signature: two int pointers; may be called before MPI_Init.
    unsafe {
        let f: unsafe extern "C" fn(*mut i32, *mut i32) -> i32 = core::mem::transmute(f);
        f(&raw mut major, &raw mut minor);
    }
    major > 0
}
