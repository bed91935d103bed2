//! Finding the MPI library's procedures, and the next tool's.
//!
//! mpi4py loads libmpi with RTLD_LOCAL, so neither RTLD_DEFAULT nor RTLD_NEXT finds it: the loaded objects are searched by name
//! instead. A tool preloaded after this library (Darshan, Score-P) exports `MPI_*` in the global scope; the program's call goes
//! to it, and it calls `PMPI_*`, which is this library's again and passes through.

use crate::wrappers::{NAMES, SYMBOLS};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static LIBRARY: AtomicUsize = AtomicUsize::new(0);
static REAL: [AtomicUsize; SYMBOLS] = [const { AtomicUsize::new(0) }; SYMBOLS];
static NEXT: [AtomicUsize; SYMBOLS] = [const { AtomicUsize::new(0) }; SYMBOLS];

/// Holds the address of the other only when the dynamic linker has relocated this library; before, nothing or what the linker left there.
static RELOCATED: &AtomicUsize = &HERE;
static HERE: AtomicUsize = AtomicUsize::new(0);

/// Procedure `k` of the library itself.
#[inline(always)]
pub(crate) fn real(k: usize) -> usize {
    match REAL[k].load(Relaxed) {
        0 => late(k, false),
        f => f,
    }
}

/// Procedure `k` of the next tool, or of the library.
#[inline(always)]
pub(crate) fn next(k: usize) -> usize {
    match NEXT[k].load(Relaxed) {
        0 => late(k, true),
        f => f,
    }
}

#[cold]
#[inline(never)]
fn late(k: usize, next: bool) -> usize {
    if LIBRARY.load(Relaxed) == 0 || REAL[k].load(Relaxed) == 0 {
        load();
    }
    match if next { &NEXT[k] } else { &REAL[k] }.load(Relaxed) {
        0 => absent(NAMES[k]),
        f => f,
    }
}

/// Ends a program that calls what its library has not.
#[cold]
pub(crate) fn absent(name: &CStr) -> ! {
    let name = name.to_str().unwrap_or("an MPI procedure");
    crate::say(&format!(
        "the MPI library that is loaded has no {name}, which the program calls"
    ));
    // SAFETY: the program would have died of the same missing symbol.
    unsafe { libc::_exit(127) }
}

/// Fills the tables.
fn load() {
    for (k, name) in NAMES.iter().enumerate() {
        let Some(real) = library(name) else { continue };
        REAL[k].store(real, Relaxed);
        // "PMPI_X" without its P.
        // SAFETY: a NUL-terminated string, looked up in the objects after this one.
        let tool = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr().add(1)) } as usize;
        let chain = tool != 0 && object_of(tool) != object_of(real);
        NEXT[k].store(if chain { tool } else { real }, Relaxed);
    }
}

/// Base address of the object that an address belongs to.
pub(crate) fn object_of(address: usize) -> usize {
    // SAFETY: dladdr only looks the address up; the structure is plain data.
    unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(address as *const c_void, &raw mut info) == 0 {
            0
        } else {
            info.dli_fbase as usize
        }
    }
}

/// File name of the object that an address belongs to.
pub(crate) fn object_name(address: usize) -> &'static CStr {
    // SAFETY: as above; the name lives as long as the object is loaded.
    unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(address as *const c_void, &raw mut info) == 0 || info.dli_fname.is_null() {
            return c"";
        }
        CStr::from_ptr(info.dli_fname)
    }
}

/// The exported function that an address belongs to.
pub(crate) fn symbol_name(address: usize) -> Option<&'static CStr> {
    // SAFETY: as above.
    unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(address as *const c_void, &raw mut info) == 0 || info.dli_sname.is_null() {
            return None;
        }
        Some(CStr::from_ptr(info.dli_sname))
    }
}

/// A symbol of the MPI library.
pub(crate) fn library(name: &CStr) -> Option<usize> {
    let handle = handle()?;
    // SAFETY: a live handle and a NUL-terminated name.
    let found = unsafe { libc::dlsym(handle as *mut c_void, name.as_ptr()) } as usize;
    (found != 0).then_some(found)
}

/// A data symbol: the program's copy of it if it has one (copy relocation), else the library's.
pub(crate) fn data(name: &CStr) -> Option<usize> {
    // SAFETY: a NUL-terminated name.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) } as usize;
    if found != 0 {
        Some(found)
    } else {
        library(name)
    }
}

fn handle() -> Option<usize> {
    match LIBRARY.load(Relaxed) {
        0 => {
            let mut found: usize = 0;
            // SAFETY: the callback gets `found` back as its data and outlives nothing.
            unsafe { libc::dl_iterate_phdr(Some(consider), (&raw mut found).cast()) };
            LIBRARY.store(found, Relaxed);
            (found != 0).then_some(found)
        }
        h => Some(h),
    }
}

/// Takes an object whose file name begins with `libmpi` and that has `PMPI_Init`.
unsafe extern "C" fn consider(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
    // SAFETY: the linker gives a valid record with a NUL-terminated name; `data` is handle()'s variable.
    unsafe {
        let path: *const c_char = (*info).dlpi_name;
        if path.is_null() {
            return 0;
        }
        let bytes = CStr::from_ptr(path).to_bytes();
        let file = bytes.rsplit(|b| *b == b'/').next().unwrap_or(bytes);
        if !file.starts_with(b"libmpi") && !file.starts_with(b"libmpich") {
            return 0;
        }
        let handle = libc::dlopen(path, libc::RTLD_NOLOAD | libc::RTLD_LAZY);
        if handle.is_null() || libc::dlsym(handle, c"PMPI_Init".as_ptr()).is_null() {
            return 0;
        }
        data.cast::<usize>().write(handle as usize);
        1
    }
}

/// The resolver behind symbols that may be absent: the wrapper if the library has the procedure, else null.
///
/// May run before this library is relocated (another library's reference, bound at start): then nothing can be called, and
/// the reference can only come from something linked with a library that has the procedure.
pub(crate) unsafe extern "C" fn choose(wrapper: usize, k: u32) -> usize {
    let (relocated, here): (usize, usize);
    // In assembly, as whatever the compiler makes a call of would go by way of an address that is not there yet. Both are told by their distance from the code.
    // SAFETY: reads the static's own bytes, which the linker writes.
    unsafe {
        core::arch::asm!(
            "mov {0}, [rip + {2}]",
            "lea {1}, [rip + {3}]",
            out(reg) relocated,
            out(reg) here,
            sym RELOCATED,
            sym HERE,
            options(nostack, preserves_flags, readonly),
        );
    }
    if relocated != here {
        return wrapper;
    }
    match NAMES.get(k as usize) {
        Some(name) if library(name).is_some() => wrapper,
        _ => 0,
    }
}
