//! What bindings for Fortran and C++ call of the library without going through `MPI_*` or `PMPI_*`.
//!
//! Open MPI's Fortran library makes keyvals, error handlers and attributes by functions inside libmpi, its C++ library keyvals
//! and error handlers; MPICH's Fortran library sets attributes so. Unseen, a callback that sends a message would be a message that
//! nobody counted, and a rank in `MPI_Finalize` one that can never send again. These functions have no stable signatures, so
//! the exported ones keep every register, say that they were called, and jump to the library's.

use crate::{guard, symbols};
use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A function of the program's became one that the library will call.
fn callback() {
    if guard::outermost().is_some() {
        guard::CALLBACKS.store(true, Relaxed);
    }
}

/// An attribute was set, on some object: it counts as one of `MPI_COMM_SELF`, whose callbacks run in `MPI_Finalize`.
fn attribute() {
    if let Some(rank) = guard::outermost() {
        rank.quiet(|s, _| s.self_attrs += 1);
    }
}

/// The library's function.
pub(super) fn real(kept: &AtomicUsize, name: &'static CStr) -> usize {
    match kept.load(Relaxed) {
        0 => match symbols::library(name) {
            Some(f) => {
                kept.store(f, Relaxed);
                f
            }
            None => symbols::absent(name),
        },
        f => f,
    }
}

macro_rules! passed_on {
    ($($name:ident => $what:ident, $notice:ident;)*) => {$(
        /// Tells, and gives the address to go on to.
        extern "C" fn $notice() -> usize {
            static REAL: AtomicUsize = AtomicUsize::new(0);
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!(),
            };
            $what();
            real(&REAL, NAME)
        }

        /// # Safety
        /// Called by a binding with the arguments of the library's function.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name() {
            // Seven words and the return address keep the stack aligned. Arguments on the stack are where they were at the jump.
            core::arch::naked_asm!(
                "push rdi", "push rsi", "push rdx", "push rcx", "push r8", "push r9", "push rax",
                "call {notice}",
                "mov r11, rax",
                "pop rax", "pop r9", "pop r8", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
                "jmp r11",
                notice = sym $notice
            )
        }
    )*};
}

passed_on! {
    ompi_attr_create_keyval => callback, notice_ompi_keyval;
    ompi_attr_create_keyval_fint => callback, notice_ompi_keyval_fint;
    ompi_attr_create_keyval_aint => callback, notice_ompi_keyval_aint;
    ompi_errhandler_create => callback, notice_ompi_errhandler;
    ompi_attr_set_fint => attribute, notice_ompi_attr_fint;
    ompi_attr_set_aint => attribute, notice_ompi_attr_aint;
    MPII_Comm_set_attr => attribute, notice_mpich_attr;
}
