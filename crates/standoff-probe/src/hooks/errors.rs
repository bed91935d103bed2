//! Errors of MPI calls, which end the job unless the program has asked for something else.
//!
//! A library that ends the job asks the launcher for it, and the launcher may kill the rank before anything else of it runs. So what
//! went wrong is noted before: errors go through functions inside the libraries ([`MPIR_Err_return_comm`] of MPICH and its kin,
//! [`ompi_mpi_abort`] of Open MPI), which a preloaded library stands before. What comes back from there did not end the rank.

use super::bindings::real;
use crate::rank::{self, Rank, put_text};
use crate::{guard, place, symbols};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use standoff_board::functions;
use standoff_board::layout::{self as lay, Board, Place, state};

/// Frames between a call of the program's and the function for its error.
const DEPTH: usize = 64;
/// `MPI_MAX_ERROR_STRING` of all libraries is no more.
const TEXT: usize = 4096;

type Real = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, c_int) -> c_int;
type Text = unsafe extern "C" fn(c_int, *mut c_char, *mut c_int) -> c_int;

/// A note of an error. Dropping it takes it back: the rank goes on.
struct Noted(&'static Rank);

impl Drop for Noted {
    fn drop(&mut self) {
        // SAFETY: fields of the mapping; a call that fails is the only one to write them.
        let header = unsafe { &mut (*self.0.board).header };
        header.left[0] = 0;
        header.end_place = 0;
    }
}

/// MPICH's function for an error in a call that belongs to a communicator, or to none.
///
/// # Safety
/// Called by the library with arguments of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn MPIR_Err_return_comm(
    comm: *mut c_void,
    function: *mut c_void,
    code: c_int,
) -> c_int {
    static REAL: AtomicUsize = AtomicUsize::new(0);
    let told = || {
        // SAFETY: the name of one of the library's functions, or null.
        let name = unsafe {
            function
                .cast::<c_char>()
                .as_ref()
                .map(|s| CStr::from_ptr(s))
        };
        number(name?)
    };
    let _noted = note(told, |rank| {
        // A library that lets all threads in may hold its lock here, and want it for its words.
        (!rank.multi).then(|| error(code)).flatten()
    });
    let f = real(&REAL, c"MPIR_Err_return_comm");
    // SAFETY: the library's function, with the arguments that it was called with.
    unsafe { core::mem::transmute::<usize, Real>(f)(comm, function, code) }
}

/// Open MPI's function that ends the job, for an error or for `MPI_Abort`.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ompi_mpi_abort(comm: *mut c_void, code: c_int) -> c_int {
    type Real = unsafe extern "C-unwind" fn(*mut c_void, c_int) -> c_int;
    static REAL: AtomicUsize = AtomicUsize::new(0);
    let _noted = note(|| None, |_| error(code));
    let f = real(&REAL, c"ompi_mpi_abort");
    // SAFETY: as above.
    unsafe { core::mem::transmute::<usize, Real>(f)(comm, code) }
}

/// Notes an error, unless the rank is in no call of the program's, or ends already. `told` gives the number of the procedure as the library tells
/// it, `words` what it says of the error.
#[cold]
fn note(
    told: impl FnOnce() -> Option<u32>,
    words: impl FnOnce(&Rank) -> Option<String>,
) -> Option<Noted> {
    let rank = rank::get().filter(|_| guard::outermost().is_none())?;
    // SAFETY: fields of the mapping.
    let header = unsafe { &(*rank.board).header };
    if header.state == state::ABORTING || header.left[0] != 0 {
        return None;
    }
    let (called, caller) = called()?;
    let function = called.or_else(told)?;
    let name = functions::name(function)?;
    let mut text = format!("called {name}, which failed");
    for (i, line) in words(rank).iter().flat_map(|w| w.lines()).enumerate() {
        text += if i == 0 { ": " } else { "\n\t" };
        text += line.trim_end();
    }
    text.push('\n');
    static MODULES: AtomicBool = AtomicBool::new(false);
    if !MODULES.swap(true, Relaxed) {
        super::life::keep_modules(rank);
    }
    rank.unless_busy(|b| {
        put_text(&mut b.header.left, &text);
        b.header.end_place = match at(rank, b, function, caller) {
            0 => lay::NOWHERE,
            place => place,
        };
    })?;
    Some(Noted(rank))
}

/// The place of the call.
fn at(rank: &Rank, b: &mut Board, function: u32, caller: usize) -> u32 {
    let found = if rank.is_python {
        crate::python::frames::place(b, &mut crate::python::frames::Cache::new(), function)
    } else {
        let new = Place {
            key: caller as u64,
            function,
            ..Place::default()
        };
        place::find(b, new)
    };
    // The call itself is counted elsewhere.
    if let Some(place) = b.places.get_mut(found as usize) {
        place.count = place.count.saturating_sub(1);
    }
    found
}

/// The number of the procedure that the program has called, if it can be told, and the address it returns to.
fn called() -> Option<(Option<u32>, usize)> {
    let mut stack = [core::ptr::null_mut::<c_void>(); DEPTH];
    // SAFETY: room for so many.
    let n = unsafe { libc::backtrace(stack.as_mut_ptr(), DEPTH as c_int) };
    let stack = stack.get(..usize::try_from(n).ok()?)?;
    // An address that is returned to may lie behind the last instruction of its function.
    let inside = |&a: &*mut c_void| (a as usize).wrapping_sub(1);
    let own = symbols::object_of(called as *const () as usize);
    let ours = |a: &*mut c_void| symbols::object_of(inside(a)) == own;
    let named = |a: &*mut c_void| symbols::symbol_name(inside(a));
    let entered = [c"MPIR_Err_return_comm", c"ompi_mpi_abort"];
    let here = stack
        .iter()
        .position(|a| ours(a) && named(a).is_some_and(|name| entered.contains(&name)))?;
    // The library may have jumped here from its own function, which left no frame then.
    let above = &stack[here + 1..];
    let wrapper = above.iter().position(ours)?;
    let user = wrapper + above[wrapper..].iter().position(|a| !ours(a))?;
    // Wrappers of procedures that a library may lack have no name of their own.
    let name = named(&above[user - 1]).and_then(number);
    Some((name, above[user] as usize))
}

/// The number of the procedure that a function stands for: `PMPI_Send_c`, or MPICH's `internal_Send`.
fn number(name: &CStr) -> Option<u32> {
    let name = name.to_str().ok()?;
    let name = ["PMPI_", "MPI_", "internal_"]
        .iter()
        .find_map(|p| name.strip_prefix(p))?;
    let name = name.strip_suffix("_c").unwrap_or(name);
    functions::number(&format!("MPI_{name}"))
}

/// The library's words for an error.
fn error(code: c_int) -> Option<String> {
    let f = symbols::library(c"PMPI_Error_string")?;
    let mut text = [0 as c_char; TEXT + 1];
    let mut length = 0;
    // SAFETY: MPI's procedure of this signature; room for its text, and a zero behind it.
    let text = unsafe {
        let f = core::mem::transmute::<usize, Text>(f);
        if f(code, text.as_mut_ptr(), &raw mut length) != super::SUCCESS {
            return None;
        }
        CStr::from_ptr(text.as_ptr())
    };
    Some(text.to_string_lossy().into_owned())
}
