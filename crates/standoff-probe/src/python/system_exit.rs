//! `raise SystemExit`, `exit()` and `quit()`: which of them ended the program.
//!
//! The exception is gone when the interpreter ends. But it is made by the slot `tp_init` of its type and goes by `tp_dealloc`, and there functions
//! are put that note the place and go on to the real ones. What a program sees of `SystemExit` is the same as before, and other types
//! are not touched; a subclass made later has the original slots, or calls these. Until one is made it costs nothing.
//!
//! Whether one that was made ends the program is told by where it goes: the interpreter drops it when no Python function is running any more. One that goes
//! while a function runs was caught; that is true of those that `sys.exit` made, too.
//!
//! What this misses: subclasses of `SystemExit`, and one that is kept in a variable or a circle of references. Such a rank has its exit status to show,
//! and its last communication.

use super::ends::{LEFT, Leaving, calls, header, main_thread, store, told};
use super::{Api, Obj, frames, symbol};
use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Fields of CPython's PyTypeObject, in bytes after its `tp_name` (cpython/object.h, the same from 3.8 to 3.14).
const DEALLOC: usize = 24;
const BASE: usize = 232;
const INIT: usize = 272;
/// Py_tp_init of typeslots.h.
const INIT_SLOT: c_int = 60;

type Init = unsafe extern "C" fn(Obj, Obj, Obj) -> c_int;
type Dealloc = unsafe extern "C" fn(Obj);

static MAKE: AtomicUsize = AtomicUsize::new(0);
static DROP: AtomicUsize = AtomicUsize::new(0);

/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn attach(a: &Api) {
    // SAFETY: by the caller's promise; types that are always there, whose layout is compared with what is known of them.
    unsafe {
        let exported = |name| Some((symbol(name)? as *const Obj).read());
        let (Some(kind), Some(base)) = (
            exported("PyExc_SystemExit\0"),
            exported("PyExc_BaseException\0"),
        ) else {
            return;
        };
        let Some(head) = header(a) else { return };
        // After the header comes the size that objects of variable size have.
        let name = kind.byte_add(head + size_of::<isize>());
        let field = |offset: usize| name.byte_add(offset) as *mut usize;
        let text = (name as *const *const c_char).read();
        if text.is_null()
            || CStr::from_ptr(text) != c"SystemExit"
            || field(BASE).read() != base as usize
        {
            return;
        }
        let init = field(INIT).read();
        if said(a, kind).is_some_and(|told| told != init) || init == 0 {
            return;
        }
        for (at, original, new) in [
            (field(DEALLOC), &DROP, drop_it as *const () as usize),
            (field(INIT), &MAKE, make as *const () as usize),
        ] {
            // Before it can be called.
            original.store(at.read(), Ordering::Release);
            if !store(at, new) {
                return;
            }
        }
    }
}

/// What the interpreter itself says of `tp_init`; before 3.10 it says nothing of built-in types.
///
/// # Safety
/// The interpreter lock is held, and this is a type.
unsafe fn said(a: &Api, kind: Obj) -> Option<usize> {
    let get = symbol("PyType_GetSlot\0")?;
    // SAFETY: by the caller's promise; the documented signature.
    unsafe {
        let get = core::mem::transmute::<usize, unsafe extern "C" fn(Obj, c_int) -> Obj>(get);
        let slot = get(kind, INIT_SLOT) as usize;
        if slot == 0 {
            (a.PyErr_Clear)();
        }
        (slot != 0).then_some(slot)
    }
}

/// # Safety
/// The interpreter calls it as `tp_init`, with its lock held.
unsafe extern "C" fn make(me: Obj, args: Obj, names: Obj) -> c_int {
    // SAFETY: the interpreter's own arguments: an exception and a tuple.
    unsafe {
        let rc = core::mem::transmute::<usize, Init>(MAKE.load(Ordering::Acquire))(me, args, names);
        if rc == 0
            && let (Some(a), Some(rank)) = (super::api(), main_thread())
        {
            let calls = calls(rank);
            if !adopt(me, calls) {
                // Not with `LEFT` held: this may run other code of the program.
                let one = (a.PyTuple_Size)(args) == 1;
                let argument = one.then(|| (a.PyTuple_GetItem)(args, 0));
                let leaving = Leaving {
                    text: told(a, "raised SystemExit", argument),
                    calls,
                    object: me as usize,
                    ends: false,
                };
                if let Ok(mut left) = LEFT.lock() {
                    *left = Some(leaving);
                }
            }
        }
        rc
    }
}

/// The exception of a `sys.exit`, which is made when somebody wants to see it (at once from 3.12 on).
fn adopt(object: Obj, calls: u64) -> bool {
    let Ok(mut left) = LEFT.lock() else {
        return true;
    };
    match left.as_mut() {
        Some(known) if known.object == 0 && known.calls == calls => {
            known.object = object as usize;
            true
        }
        _ => false,
    }
}

/// # Safety
/// The interpreter calls it as `tp_dealloc`, with its lock held. It must leave the state of exceptions alone, and does.
unsafe extern "C" fn drop_it(me: Obj) {
    if main_thread().is_some()
        && let Ok(mut left) = LEFT.lock()
        && let Some(known) = left.as_mut().filter(|l| l.object == me as usize)
    {
        match frames::running() {
            Some(true) => *left = None,
            Some(false) => known.ends = true,
            None => {}
        }
    }
    // SAFETY: the interpreter's own argument.
    unsafe { core::mem::transmute::<usize, Dealloc>(DROP.load(Ordering::Acquire))(me) }
}
