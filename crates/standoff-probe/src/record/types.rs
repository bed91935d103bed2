//! What the elements of messages are, as the recording says it: asked of the library once for each predefined datatype.
//!
//! What a handle stands for is remembered only as far as it is predefined or not, which no handle ever changes: derived datatypes come and go,
//! and are asked for their size each time.

use super::Data;
use crate::abi::Abi;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::symbols;
use core::ffi::CStr;
use standoff_board::layout::abi;
use standoff_trace::Basic;
use std::sync::OnceLock;

/// Datatypes remembered; a power of two.
const REMEMBERED: usize = 64;
/// At least `MPI_MAX_OBJECT_NAME`, of every library.
const NAME: usize = 512;

/// What was found out of a datatype.
#[derive(Clone, Copy, Default)]
struct Known {
    /// 0: nothing.
    handle: usize,
    /// In bytes, of a predefined one; 0: derived.
    size: u32,
    basic: Basic,
}

/// Datatypes by handle.
pub(crate) struct Types([Known; REMEMBERED]);

impl Types {
    pub fn new() -> Types {
        Types([Known::default(); REMEMBERED])
    }

    /// Size in bytes and type of what a call that succeeded was given.
    #[inline]
    pub fn of(&mut self, data: Data) -> (u64, Basic) {
        if data.count <= 0 {
            // The type need not be one.
            return (0, Basic::UNKNOWN);
        }
        // Handles lie in steps of one (MPICH) or of the size of a structure (Open MPI).
        let hash = data.dtype.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        let known = &mut self.0[hash % REMEMBERED];
        if known.handle != data.dtype {
            *known = look(data.dtype);
        }
        match known.size {
            0 => (data.bytes(), Basic::UNKNOWN),
            size => (data.count as u64 * u64::from(size), known.basic),
        }
    }
}

#[cold]
fn look(handle: usize) -> Known {
    let derived = Known {
        handle,
        ..Known::default()
    };
    predefined(handle).unwrap_or(derived)
}

/// `None`: it is derived, or the library does not tell.
fn predefined(handle: usize) -> Option<Known> {
    let envelope = library!(
        c"PMPI_Type_get_envelope",
        fn(usize, *mut i32, *mut i32, *mut i32, *mut i32)
    )?;
    let name = library!(c"PMPI_Type_get_name", fn(usize, *mut u8, *mut i32))?;
    let (mut parts, mut combiner) = ([0i32; 3], 0i32);
    let (mut text, mut length) = ([0u8; NAME], 0i32);
    let [integers, addresses, types] = &mut parts;
    // SAFETY: MPI's signatures; the program has just used the type, and the name fits.
    let rc = unsafe {
        envelope(handle, integers, addresses, types, &raw mut combiner)
            | name(handle, text.as_mut_ptr(), &raw mut length)
    };
    // Only predefined datatypes are made of nothing.
    if rc != SUCCESS || parts != [0; 3] {
        return None;
    }
    let one = Data {
        buffer: core::ptr::null_mut(),
        count: 1,
        dtype: handle,
    };
    let size = u32::try_from(one.bytes()).ok()?;
    let text = text.get(..usize::try_from(length).ok()?)?;
    let basic = Basic::of(text, size);
    Some(Known {
        handle,
        size,
        basic,
    })
}

/// What the members of a collective have to agree on, as this one was called.
#[derive(Clone, Copy)]
pub(crate) enum Agreed {
    /// Nothing that can be told from one call.
    Nothing,
    /// Elements.
    Elements(Data),
    /// Elements, and how they are reduced.
    Reduction(Data, usize),
    /// Elements, which the root describes by the first and the others by the second.
    Rooted { root: Data, others: Data },
}

/// The place of a predefined reduction in [`standoff_trace::event::REDUCTIONS`], from 1. 0: the program's own.
pub(super) fn reduction(abi: &Abi, oper: usize) -> u32 {
    let oper = abi.handle(oper);
    match abi.kind {
        abi::OPENMPI => {
            let place = open_mpi().iter().position(|&op| op == Some(oper));
            place.map_or(0, |place| 1 + place as u32)
        }
        abi::STANDARD => match oper {
            0x21 => 3,
            0x22 => 2,
            0x23 => 1,
            0x24 => 4,
            0x28 => 6,
            0x29 => 8,
            0x2a => 10,
            0x30 => 5,
            0x31 => 7,
            0x32 => 9,
            0x38 => 11,
            0x39 => 12,
            0x3c => 13,
            0x3d => 14,
            _ => 0,
        },
        _ => match oper {
            0x5800_0001..=0x5800_000e => (oper & 0xff) as u32,
            _ => 0,
        },
    }
}

/// Where Open MPI has its reductions.
fn open_mpi() -> &'static [Option<usize>; 14] {
    const NAMES: [&CStr; 14] = [
        c"ompi_mpi_op_max",
        c"ompi_mpi_op_min",
        c"ompi_mpi_op_sum",
        c"ompi_mpi_op_prod",
        c"ompi_mpi_op_land",
        c"ompi_mpi_op_band",
        c"ompi_mpi_op_lor",
        c"ompi_mpi_op_bor",
        c"ompi_mpi_op_lxor",
        c"ompi_mpi_op_bxor",
        c"ompi_mpi_op_minloc",
        c"ompi_mpi_op_maxloc",
        c"ompi_mpi_op_replace",
        c"ompi_mpi_op_no_op",
    ];
    static PLACES: OnceLock<[Option<usize>; 14]> = OnceLock::new();
    PLACES.get_or_init(|| NAMES.map(symbols::data))
}
