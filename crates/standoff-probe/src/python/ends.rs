//! How Python code ends: `sys.exit`, `os._exit`, and exceptions that end a thread.
//!
//! They pass through functions of the interpreter that are written in C: `sys.exit`, `posix._exit`, and `_thread._excepthook`, which `threading`
//! calls for a thread that nobody else's hook looks after. The interpreter's table of methods tells where their code is, and there a
//! function is put that notes the place and goes on to the real one. The objects that a program sees are the same as before: the same identity,
//! name and signature, however they were imported. Until one is called it costs nothing.
//!
//! Rejected: functions of our own in `sys` and `threading` (a program can see them, and misses them when it has imported the names before), and looking
//! for the `SystemExit` when the interpreter ends (it is gone by then).
//!
//! `exit()`, `quit()` and `raise SystemExit` do not call `sys.exit`: for them see [`super::system_exit`].

use super::{Api, Obj, RAISED, append, own_stack, run_on, symbol, system_exit};
use crate::rank::{self, Rank, put_text};
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Calling conventions of CPython's methodobject.h.
const VARARGS: i32 = 0x1;
const ONE: i32 = 0x8;
const FAST: i32 = 0x80;
const KEYWORDS: i32 = 0x2;

type Plain = unsafe extern "C" fn(Obj, Obj) -> Obj;
type Fast = unsafe extern "C" fn(Obj, *const Obj, isize) -> Obj;
type Named = unsafe extern "C" fn(Obj, *const Obj, isize, Obj) -> Obj;

static EXIT: AtomicUsize = AtomicUsize::new(0);
static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
static HOOK: AtomicUsize = AtomicUsize::new(0);

/// A `SystemExit` on its way through the main thread.
pub(super) struct Leaving {
    /// What was done, and the stack of it.
    pub text: String,
    /// How many calls to MPI the thread had made.
    pub calls: u64,
    /// The exception; 0 while it is not made.
    pub object: usize,
    /// It is what ends the program, as far as is known.
    pub ends: bool,
}

/// The last one.
pub(super) static LEFT: Mutex<Option<Leaving>> = Mutex::new(None);

/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn attach(a: &Api) {
    // SAFETY: by the caller's promise; the functions have the convention that they are put in for.
    unsafe {
        replace(a, c"sys", c"exit", &EXIT, |flags| match flags {
            VARARGS => Some(exit_plain as *const () as usize),
            FAST => Some(exit_fast as *const () as usize),
            _ => None,
        });
        replace(a, c"posix", c"_exit", &AT_ONCE, |flags| {
            (flags == FAST | KEYWORDS).then_some(exit_at_once as *const () as usize)
        });
        system_exit::attach(a);
        replace(a, c"_thread", c"_excepthook", &HOOK, |flags| {
            (flags == ONE).then_some(hook as *const () as usize)
        });
    }
}

/// Puts another function behind a built-in one, if that is what it is taken for.
///
/// # Safety
/// The interpreter lock is held; `with` gives a function of the convention that it is told.
unsafe fn replace(
    a: &Api,
    module: &CStr,
    name: &CStr,
    original: &AtomicUsize,
    with: impl Fn(i32) -> Option<usize>,
) {
    // SAFETY: by the caller's promise; references are counted as documented, and the function lives on in its module. Its fields are read
    // only if its type is the one whose layout this is (CPython's methodobject.h, unchanged since 3.0).
    unsafe {
        let head = header(a);
        let module = (a.PyImport_ImportModule)(module.as_ptr());
        if module.is_null() {
            return (a.PyErr_Clear)();
        }
        let object = (a.PyObject_GetAttrString)(module, name.as_ptr());
        (a.Py_DecRef)(module);
        if object.is_null() {
            return (a.PyErr_Clear)();
        }
        let (Some(head), Some(kind)) = (head, symbol("PyCFunction_Type\0")) else {
            return (a.Py_DecRef)(object);
        };
        let typed = (object as *const usize).byte_add(head - size_of::<usize>());
        if typed.read() == kind {
            let method = (object as *const *mut Method).byte_add(head).read();
            let known = &*method;
            if !known.name.is_null()
                && CStr::from_ptr(known.name) == name
                && original.load(Ordering::Relaxed) == 0
                && let Some(new) = with(known.flags)
            {
                // Before it can be called.
                original.store(known.function, Ordering::Release);
                if !store(&raw mut (*method).function, new) {
                    original.store(0, Ordering::Release);
                }
            }
        }
        (a.Py_DecRef)(object);
    }
}

/// CPython's PyMethodDef, as far as it matters here.
#[repr(C)]
struct Method {
    name: *const c_char,
    function: usize,
    flags: i32,
}

/// Bytes of what every object begins with; the type comes last in it.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn header(a: &Api) -> Option<usize> {
    let base = symbol("PyBaseObject_Type\0")? as Obj;
    // SAFETY: by the caller's promise; a type that is always there.
    unsafe {
        let size = (a.PyObject_GetAttrString)(base, c"__basicsize__".as_ptr());
        if size.is_null() {
            (a.PyErr_Clear)();
            return None;
        }
        let bytes = (a.PyLong_AsLong)(size);
        (a.Py_DecRef)(size);
        usize::try_from(bytes)
            .ok()
            .filter(|n| (16..=64).contains(n))
    }
}

/// Stores a word, unless it lies where nothing can be written; such a store fails, and does no more.
pub(super) fn store(at: *mut usize, value: usize) -> bool {
    let (from, to) = (
        libc::iovec {
            iov_base: (&raw const value).cast_mut().cast(),
            iov_len: size_of::<usize>(),
        },
        libc::iovec {
            iov_base: at.cast(),
            iov_len: size_of::<usize>(),
        },
    );
    let (from, to) = (&raw const from, &raw const to);
    // SAFETY: the kernel checks both; the target is a field that only the interpreter reads, with its lock, which is held.
    let written = unsafe { libc::process_vm_writev(libc::getpid(), from, 1, to, 1, 0) };
    written == size_of::<usize>() as isize
}

/// # Safety
/// The interpreter calls it as `sys.exit`.
unsafe extern "C" fn exit_plain(me: Obj, args: Obj) -> Obj {
    // SAFETY: the interpreter's own arguments: a tuple.
    unsafe {
        if let Some(a) = super::api() {
            let one = !args.is_null() && (a.PyTuple_Size)(args) == 1;
            note(a, one.then(|| (a.PyTuple_GetItem)(args, 0)));
        }
        core::mem::transmute::<usize, Plain>(EXIT.load(Ordering::Acquire))(me, args)
    }
}

/// # Safety
/// As above.
unsafe extern "C" fn exit_fast(me: Obj, args: *const Obj, n: isize) -> Obj {
    // SAFETY: the interpreter's own arguments: `n` objects.
    unsafe {
        if let Some(a) = super::api() {
            note(a, (n == 1).then(|| *args));
        }
        core::mem::transmute::<usize, Fast>(EXIT.load(Ordering::Acquire))(me, args, n)
    }
}

/// # Safety
/// The interpreter calls it as `os._exit`, which ends the process at once.
unsafe extern "C" fn exit_at_once(me: Obj, args: *const Obj, n: isize, names: Obj) -> Obj {
    // SAFETY: the interpreter's own arguments: `n` objects, and more if there are names.
    unsafe {
        if let (Some(a), Some(rank)) = (super::api(), rank::get()) {
            let argument = (n == 1 && names.is_null()).then(|| *args);
            let text = told(a, "called os._exit", argument);
            rank.quiet(|_, b| put_text(&mut b.header.left, &text));
        }
        core::mem::transmute::<usize, Named>(AT_ONCE.load(Ordering::Acquire))(me, args, n, names)
    }
}

/// The rank, in its main thread: in others `SystemExit` ends only the thread.
pub(super) fn main_thread() -> Option<&'static Rank> {
    // SAFETY: no arguments, no memory.
    let main = unsafe { libc::gettid() == libc::getpid() };
    rank::get().filter(|_| main)
}

/// `called sys.exit(3)` and the stack.
///
/// # Safety
/// The interpreter lock is held; the argument is live.
pub(super) unsafe fn told(a: &Api, what: &str, argument: Option<Obj>) -> String {
    // SAFETY: by the caller's promise.
    let with = argument.map_or(Some(String::new()), |o| unsafe { literal(a, o) });
    format!(
        "{what}({})\n{}",
        with.as_deref().unwrap_or("…"),
        own_stack(a).unwrap_or_default()
    )
}

/// Notes a call of `sys.exit`.
///
/// # Safety
/// The interpreter lock is held; the argument is live.
unsafe fn note(a: &Api, argument: Option<Obj>) {
    let Some(rank) = main_thread() else { return };
    let leaving = Leaving {
        // SAFETY: by the caller's promise.
        text: unsafe { told(a, "called sys.exit", argument) },
        calls: calls(rank),
        object: 0,
        ends: true,
    };
    if let Ok(mut left) = LEFT.lock() {
        *left = Some(leaving);
    }
}

/// A number or a short text as it is written; of nothing else, as that could run code of the program's.
///
/// # Safety
/// The interpreter lock is held; the object is live.
unsafe fn literal(a: &Api, object: Obj) -> Option<String> {
    // SAFETY: by the caller's promise: every object has a type.
    unsafe {
        let head = header(a)?;
        let kind = (object as *const usize)
            .byte_add(head - size_of::<usize>())
            .read();
        let plain = ["PyLong_Type\0", "PyUnicode_Type\0", "PyBool_Type\0"];
        let none = symbol("_Py_NoneStruct\0") == Some(object as usize);
        if !none && !plain.into_iter().any(|name| symbol(name) == Some(kind)) {
            return None;
        }
        let shown = (a.PyObject_Repr)(object);
        if shown.is_null() {
            (a.PyErr_Clear)();
            return None;
        }
        let mut text = String::new();
        append(a, shown, &mut text);
        (a.Py_DecRef)(shown);
        Some(text).filter(|text| text.chars().count() <= 60)
    }
}

/// How often the main thread has called MPI.
pub(super) fn calls(rank: &Rank) -> u64 {
    // SAFETY: no arguments, no memory.
    let main = unsafe { libc::getpid() } as u32;
    rank.quiet(|_, b| {
        let mut threads = b.threads.iter();
        threads
            .find(|t| t.used == 1 && t.tid == main)
            .map_or(0, |t| t.calls)
    })
}

/// The interpreter ends. A `SystemExit` after which there was MPI was not what ended the program: somebody caught it.
pub(super) fn tell(rank: &Rank) {
    let left = LEFT.lock().ok().and_then(|mut left| left.take());
    let calls = calls(rank);
    if let Some(left) = left.filter(|left| left.ends && left.calls == calls) {
        rank.quiet(|_, b| put_text(&mut b.header.left, &left.text));
    }
}

/// # Safety
/// The interpreter calls it as `_thread._excepthook`.
unsafe extern "C" fn hook(me: Obj, args: Obj) -> Obj {
    // SAFETY: the interpreter's own arguments, with its lock held.
    unsafe {
        if let (Some(a), Some(rank)) = (super::api(), rank::get()) {
            died(a, rank, args);
        }
        core::mem::transmute::<usize, Plain>(HOOK.load(Ordering::Acquire))(me, args)
    }
}

/// Writes down the first exception that ended a thread. `SystemExit` ends one in silence.
///
/// # Safety
/// The interpreter lock is held; the object is live.
unsafe fn died(a: &Api, rank: &Rank, args: Obj) {
    if rank.quiet(|_, b| b.header.thread_raised[0] != 0) {
        return;
    }
    // SAFETY: by the caller's promise; a new reference, given back.
    unsafe {
        let error = (a.PyObject_GetAttrString)(args, c"exc_value".as_ptr());
        if error.is_null() {
            return (a.PyErr_Clear)();
        }
        let said = run_on(a, RAISED, error).filter(|said| !said.starts_with("SystemExit"));
        (a.Py_DecRef)(error);
        if let Some(said) = said {
            rank.quiet(|_, b| put_text(&mut b.header.thread_raised, &said));
        }
    }
}
