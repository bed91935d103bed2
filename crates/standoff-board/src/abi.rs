//! The numbers of the three MPI ABIs.
//!
//! The `abi` test of the test kit compares them with each library's own `mpi.h`.

use crate::layout::abi;

/// What the probe needs to know of an ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// One of [`abi`].
    pub kind: u32,
    /// Handles are 4-byte integers (upper half of a register is garbage, arrays have stride 4).
    pub small_handles: bool,
    /// `MPI_ANY_SOURCE`.
    pub any_source: i32,
    /// `MPI_ANY_TAG`.
    pub any_tag: i32,
    /// `MPI_PROC_NULL`.
    pub proc_null: i32,
    /// `MPI_ROOT`.
    pub root: i32,
    /// `MPI_UNDEFINED`.
    pub undefined: i32,
    /// `MPI_THREAD_SINGLE`, `MPI_THREAD_FUNNELED`, `MPI_THREAD_SERIALIZED`, `MPI_THREAD_MULTIPLE`.
    pub thread_levels: [i32; 4],
    /// `MPI_STATUS_IGNORE` (and `MPI_STATUSES_IGNORE`).
    pub status_ignore: usize,
    /// `MPI_IN_PLACE`.
    pub in_place: usize,
    /// `sizeof(MPI_Status)`.
    pub status_size: usize,
    /// Offset of `MPI_SOURCE` in it.
    pub status_source: usize,
    /// Offset of `MPI_TAG` in it.
    pub status_tag: usize,
    /// The predefined handles; `None` where they are addresses in the library.
    pub handles: Option<Handles>,
}

/// Predefined handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handles {
    /// `MPI_COMM_WORLD`.
    pub comm_world: usize,
    /// `MPI_COMM_SELF`.
    pub comm_self: usize,
    /// `MPI_COMM_NULL`.
    pub comm_null: usize,
    /// `MPI_REQUEST_NULL`.
    pub request_null: usize,
    /// `MPI_BYTE`.
    pub byte: usize,
    /// `MPI_PACKED`.
    pub packed: usize,
    /// `MPI_DATATYPE_NULL`.
    pub datatype_null: usize,
}

/// MPICH, Intel MPI and relatives.
pub const MPICH: Numbers = Numbers {
    kind: abi::MPICH,
    small_handles: true,
    any_source: -2,
    any_tag: -1,
    proc_null: -1,
    root: -3,
    undefined: -32766,
    thread_levels: [0, 1, 2, 3],
    status_ignore: 1,
    in_place: usize::MAX,
    status_size: 20,
    status_source: 8,
    status_tag: 12,
    handles: Some(Handles {
        comm_world: 0x4400_0000,
        comm_self: 0x4400_0001,
        comm_null: 0x0400_0000,
        request_null: 0x2c00_0000,
        byte: 0x4c00_010d,
        packed: 0x4c00_010f,
        datatype_null: 0x0c00_0000,
    }),
};

/// Open MPI.
pub const OPENMPI: Numbers = Numbers {
    kind: abi::OPENMPI,
    small_handles: false,
    any_source: -1,
    any_tag: -1,
    proc_null: -2,
    root: -4,
    undefined: -32766,
    thread_levels: [0, 1, 2, 3],
    status_ignore: 0,
    in_place: 1,
    status_size: 24,
    status_source: 0,
    status_tag: 4,
    handles: None,
};

/// The MPI-5 standard ABI.
pub const STANDARD: Numbers = Numbers {
    kind: abi::STANDARD,
    small_handles: false,
    any_source: -1,
    any_tag: -2,
    proc_null: -3,
    root: -4,
    undefined: -32766,
    thread_levels: [0, 1024, 2048, 4096],
    status_ignore: 0,
    in_place: 1,
    status_size: 32,
    status_source: 0,
    status_tag: 4,
    handles: Some(Handles {
        comm_world: 0x101,
        comm_self: 0x102,
        comm_null: 0x100,
        request_null: 0x180,
        byte: 0x247,
        packed: 0x207,
        datatype_null: 0x200,
    }),
};
