//! The ABI of the loaded library: the numbers of its kind, and its predefined handles.

use crate::symbols;
use standoff_board::abi::{Handles, MPICH, Numbers, OPENMPI, STANDARD};
use standoff_board::layout::{ANY, root};

/// What the hooks need to know of an ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abi {
    numbers: Numbers,
    pub comm_world: usize,
    pub comm_self: usize,
    pub comm_null: usize,
    pub request_null: usize,
    pub byte: usize,
    pub packed: usize,
    pub datatype_null: usize,
}

impl core::ops::Deref for Abi {
    type Target = Numbers;

    #[inline(always)]
    fn deref(&self) -> &Numbers {
        &self.numbers
    }
}

impl Abi {
    /// Finds out which ABI the loaded library has; `None` if it lacks what every library has.
    pub fn detect() -> Option<Abi> {
        let numbers = if symbols::data(c"ompi_mpi_comm_world").is_some() {
            OPENMPI
        } else if standard() {
            STANDARD
        } else {
            MPICH
        };
        let Handles {
            comm_world,
            comm_self,
            comm_null,
            request_null,
            byte,
            packed,
            datatype_null,
        } = match numbers.handles {
            Some(handles) => handles,
            None => Handles {
                comm_world: symbols::data(c"ompi_mpi_comm_world")?,
                comm_self: symbols::data(c"ompi_mpi_comm_self")?,
                comm_null: symbols::data(c"ompi_mpi_comm_null")?,
                request_null: symbols::data(c"ompi_request_null")?,
                byte: symbols::data(c"ompi_mpi_byte")?,
                packed: symbols::data(c"ompi_mpi_packed")?,
                datatype_null: symbols::data(c"ompi_mpi_datatype_null")?,
            },
        };
        Some(Abi {
            numbers,
            comm_world,
            comm_self,
            comm_null,
            request_null,
            byte,
            packed,
            datatype_null,
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

    /// Replaces the `i`-th handle of an array.
    ///
    /// # Safety
    /// As [`Abi::handle_at`].
    pub unsafe fn set_handle(&self, array: *mut core::ffi::c_void, i: usize, handle: usize) {
        // SAFETY: as above.
        unsafe {
            if self.small_handles {
                array.cast::<u32>().add(i).write_unaligned(handle as u32);
            } else {
                array.cast::<usize>().add(i).write_unaligned(handle);
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
