//! Python stacks and exceptions, through the interpreter's own C interface, found by name at run time (no Python is linked).
//!
//! A stack is lines of `line TAB function TAB file`, innermost frame first. All of it needs CPython 3.9 or later; on others
//! the process counts as native.

mod ends;
pub(crate) mod frames;
mod system_exit;

use crate::rank::{Rank, put_text};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::fmt::Write as _;
use std::sync::OnceLock;

type Obj = *mut c_void;

macro_rules! api {
    ($($name:ident: fn($($t:ty),*) $(-> $r:ty)?;)*) => {
        /// The interpreter's functions.
        #[allow(non_snake_case)]
        struct Api {
            $($name: unsafe extern "C" fn($($t),*) $(-> $r)?,)*
            /// The thread state that holds the lock (of this thread from 3.12 on, of any before).
            current: unsafe extern "C" fn() -> Obj,
            finalizing: Option<unsafe extern "C" fn() -> c_int>,
        }

        fn find() -> Option<Api> {
            Some(Api {
                $($name: {
                    let f = symbol(concat!(stringify!($name), "\0"))?;
                    // SAFETY: the documented signature of this CPython function.
                    unsafe { core::mem::transmute::<usize, unsafe extern "C" fn($($t),*) $(-> $r)?>(f) }
                },)*
                current: {
                    // Renamed in 3.13.
                    let f = symbol("_PyThreadState_UncheckedGet\0").or_else(|| symbol("PyThreadState_GetUnchecked\0"))?;
                    // SAFETY: PyThreadState *(*)(void) under both names.
                    unsafe { core::mem::transmute::<usize, unsafe extern "C" fn() -> Obj>(f) }
                },
                finalizing: symbol("Py_IsFinalizing\0").or_else(|| symbol("_Py_IsFinalizing\0")).map(|f| {
                    // SAFETY: int (*)(void) under both names.
                    unsafe { core::mem::transmute::<usize, unsafe extern "C" fn() -> c_int>(f) }
                }),
            })
        }
    };
}

api! {
    Py_IsInitialized: fn() -> c_int;
    PyGILState_Ensure: fn() -> c_int;
    PyGILState_Release: fn(c_int);
    PyGILState_GetThisThreadState: fn() -> Obj;
    PyEval_GetFrame: fn() -> Obj;
    PyFrame_GetBack: fn(Obj) -> Obj;
    PyFrame_GetCode: fn(Obj) -> Obj;
    PyFrame_GetLineNumber: fn(Obj) -> c_int;
    PyObject_GetAttrString: fn(Obj, *const c_char) -> Obj;
    PyUnicode_AsUTF8: fn(Obj) -> *const c_char;
    PyRun_String: fn(*const c_char, c_int, Obj, Obj) -> Obj;
    PyDict_New: fn() -> Obj;
    PyDict_GetItemString: fn(Obj, *const c_char) -> Obj;
    PyDict_SetItemString: fn(Obj, *const c_char, Obj) -> c_int;
    PyCFunction_NewEx: fn(*mut MethodDef, Obj, Obj) -> Obj;
    PyImport_ImportModule: fn(*const c_char) -> Obj;
    PyErr_Clear: fn();
    PyLong_AsLong: fn(Obj) -> core::ffi::c_long;
    PyObject_Repr: fn(Obj) -> Obj;
    PyTuple_Size: fn(Obj) -> isize;
    PyTuple_GetItem: fn(Obj, isize) -> Obj;
    Py_IncRef: fn(Obj);
    Py_DecRef: fn(Obj);
}

/// CPython's PyMethodDef.
#[repr(C)]
struct MethodDef {
    name: *const c_char,
    function: unsafe extern "C" fn(Obj, Obj) -> Obj,
    flags: c_int,
    doc: *const c_char,
}

/// Py_file_input of CPython's compile.h.
const FILE_INPUT: c_int = 257;

static API: OnceLock<Option<Api>> = OnceLock::new();

fn symbol(name: &str) -> Option<usize> {
    // SAFETY: the macro above, and whoever else calls this, ends the name with NUL.
    let f = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) } as usize;
    (f != 0).then_some(f)
}

fn api() -> Option<&'static Api> {
    API.get().and_then(Option::as_ref)
}

/// Looks for an interpreter in this process; true if there is one that runs.
pub(crate) fn load() -> bool {
    API.get_or_init(find).as_ref().is_some_and(|a| {
        // SAFETY: takes nothing, may be called at any time.
        unsafe { (a.Py_IsInitialized)() != 0 }
    })
}

/// The calling thread holds the interpreter lock.
pub(crate) fn holds_lock() -> bool {
    // SAFETY: both only read; may be called without the lock.
    api().is_some_and(|a| unsafe {
        let current = (a.current)();
        !current.is_null()
            && (a.Py_IsInitialized)() != 0
            && current == (a.PyGILState_GetThisThreadState)()
    })
}

/// The calling thread's stack, whole lines that fit into a note. The caller holds the interpreter lock.
fn own_stack(a: &Api) -> Option<String> {
    let mut text = String::with_capacity(standoff_board::layout::NOTE);
    // SAFETY: the lock is held; references are counted as documented (GetFrame borrows, the others give new ones).
    unsafe {
        let mut frame = (a.PyEval_GetFrame)();
        if frame.is_null() {
            return None;
        }
        (a.Py_IncRef)(frame);
        while !frame.is_null() && text.len() < standoff_board::layout::NOTE {
            let code = (a.PyFrame_GetCode)(frame);
            let line = (a.PyFrame_GetLineNumber)(frame);
            let _ = write!(text, "{line}\t");
            attribute(a, code, c"co_name", &mut text);
            text.push('\t');
            attribute(a, code, c"co_filename", &mut text);
            text.push('\n');
            (a.Py_DecRef)(code);
            let back = (a.PyFrame_GetBack)(frame);
            (a.Py_DecRef)(frame);
            frame = back;
        }
        (!frame.is_null()).then(|| (a.Py_DecRef)(frame));
    }
    let room = (0..standoff_board::layout::NOTE).rev();
    let room = room
        .into_iter()
        .find(|&n| text.is_char_boundary(n.min(text.len())));
    text.truncate(room.unwrap_or(0));
    text.truncate(text.rfind('\n').map_or(0, |n| n + 1));
    Some(text)
}

/// Writes the calling thread's stack into its note. The caller holds the interpreter lock.
#[cold]
pub(crate) fn note(rank: &Rank, slot: usize) {
    let Some(text) = api().and_then(own_stack) else {
        return;
    };
    rank.quiet(|_, b| {
        if let (Some(note), Some(t)) = (b.notes.get_mut(slot), b.threads.get_mut(slot)) {
            put_text(note, &text);
            t.noted = 1;
        }
    });
}

/// Appends a string attribute.
///
/// # Safety
/// The interpreter lock is held; `object` is live.
unsafe fn attribute(a: &Api, object: Obj, name: &CStr, out: &mut String) {
    // SAFETY: by the caller's promise; the text is copied before its owner is released.
    unsafe {
        let value = (a.PyObject_GetAttrString)(object, name.as_ptr());
        if value.is_null() {
            return (a.PyErr_Clear)();
        }
        append(a, value, out);
        (a.Py_DecRef)(value);
    }
}

/// Appends a string.
///
/// # Safety
/// As [`attribute`].
unsafe fn append(a: &Api, value: Obj, out: &mut String) {
    // SAFETY: as above.
    unsafe {
        let text = (a.PyUnicode_AsUTF8)(value);
        if text.is_null() {
            (a.PyErr_Clear)();
        } else {
            out.push_str(&CStr::from_ptr(text).to_string_lossy());
        }
    }
}

/// Runs statements that leave a string in `out`. The caller holds the lock.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn run(a: &Api, statements: &CStr) -> Option<String> {
    // SAFETY: by the caller's promise.
    unsafe { run_on(a, statements, core::ptr::null_mut()) }
}

/// As [`run`], with `e` set to an object, unless it is null.
///
/// # Safety
/// The interpreter lock is held; the object is live.
unsafe fn run_on(a: &Api, statements: &CStr, e: Obj) -> Option<String> {
    // SAFETY: by the caller's promise; counted references as documented.
    unsafe {
        let globals = (a.PyDict_New)();
        let builtins = (a.PyImport_ImportModule)(c"builtins".as_ptr());
        if globals.is_null() || builtins.is_null() {
            (a.PyErr_Clear)();
            return None;
        }
        (a.PyDict_SetItemString)(globals, c"__builtins__".as_ptr(), builtins);
        if !e.is_null() {
            (a.PyDict_SetItemString)(globals, c"e".as_ptr(), e);
        }
        let done = (a.PyRun_String)(statements.as_ptr(), FILE_INPUT, globals, globals);
        let out = if done.is_null() {
            (a.PyErr_Clear)();
            None
        } else {
            (a.Py_DecRef)(done);
            let value = (a.PyDict_GetItemString)(globals, c"out".as_ptr());
            let mut text = String::new();
            (!value.is_null())
                .then(|| append(a, value, &mut text))
                .map(|()| text)
        };
        (a.Py_DecRef)(builtins);
        (a.Py_DecRef)(globals);
        out
    }
}

/// Stacks of all Python threads but the caller's: a line `thread IDENT` before each. Behind a function of `gc.callbacks` stands who calls it. After the
/// stack of a thread that handles an exception (known from 3.10 on) come a line `handling ERROR` and where that was raised. No code of the program's may run here: of an
/// exception with a `__str__` or arguments of its own only the name is told.
const STACKS: &CStr = c"
import sys
own = sys._getframe()
parts = []
function = type(lambda: 0)
method = type((lambda: 0).__get__(0))
collecting = set()
for f in list(getattr(sys.modules.get('gc'), 'callbacks', ())):
    f = f.__func__ if type(f) is method else f
    if type(f) is function:
        collecting.add(f.__code__)
raised = getattr(sys, '_current_exceptions', dict)()
shown = (BaseException.__str__, KeyError.__str__, OSError.__str__)
plain = (str, int, float, bool, type(None))
for ident, f in sys._current_frames().items():
    if f is own:
        continue
    parts.append('thread %d' % ident)
    n = 0
    while f is not None and n < 200:
        parts.append('%d\\t%s\\t%s' % (f.f_lineno or 0, f.f_code.co_name, f.f_code.co_filename))
        if f.f_code in collecting:
            parts.append('0\\tgc.callbacks\\t<garbage collection>')
        f = f.f_back
        n += 1
    try:
        e = raised.get(ident)
        e = e[1] if type(e) is tuple else e
        if isinstance(e, BaseException):
            args = BaseException.args.__get__(e)
            said = ''
            if type(e).__str__ in shown and all(type(a) in plain for a in args):
                said = ' '.join(str(e).split())[:240]
            parts.append('handling ' + type(e).__name__ + (': ' + said if said else ''))
            tb = BaseException.__traceback__.__get__(e)
            frames = []
            while tb is not None:
                c = tb.tb_frame.f_code
                frames.append('%d\\t%s\\t%s' % (tb.tb_lineno or 0, c.co_name, c.co_filename))
                tb = tb.tb_next
            parts += frames[:-200:-1]
    except Exception:
        pass
out = '\\n'.join(parts) + '\\n'
out = out.encode('utf-8', 'replace').decode('utf-8')
";

/// An exception `e` (not given: the uncaught one, if there is one) and where it was raised: the first line of its message, the others
/// with a tab before each (a long message is cut in the middle), the stack.
const RAISED: &CStr = c"
import sys
if 'e' not in globals():
    e = getattr(sys, 'last_exc', None) or getattr(sys, 'last_value', None)
out = ''
if e is not None:
    said = [t if len(t) <= 240 else t[:240] + '\\u2026' for t in str(e).rstrip().split('\\n')]
    lines = []
    size = 0
    for text in said[:-1]:
        size += len(text.encode('utf-8', 'replace')) + 2
        if size > 900:
            lines.append('\\u2026')
            break
        lines.append(text)
    lines.append(said[-1])
    out = type(e).__name__ + (': ' + lines[0] if lines[0] else '') + '\\n'
    lines = ['\\t' + text for text in lines[1:]]
    frames = []
    tb = getattr(e, '__traceback__', None)
    while tb is not None:
        c = tb.tb_frame.f_code
        frames.append('%d\\t%s\\t%s' % (tb.tb_lineno, c.co_name, c.co_filename))
        tb = tb.tb_next
    out += '\\n'.join(lines + frames[::-1]) + '\\n'
out = out.encode('utf-8', 'replace').decode('utf-8')
";

/// Takes the interpreter lock and writes down the stacks of all threads. Blocks while another thread holds the lock.
pub(crate) fn all_stacks() -> Option<String> {
    let a = api()?;
    // SAFETY: the two tests need no lock; Ensure/Release are paired on this thread.
    unsafe {
        if (a.Py_IsInitialized)() == 0 || a.finalizing.is_some_and(|f| f() != 0) {
            return None;
        }
        let state = (a.PyGILState_Ensure)();
        let out = run(a, STACKS);
        (a.PyGILState_Release)(state);
        out
    }
}

/// Learns where the interpreter keeps its frames, and has it tell, when it ends, which exception ended it: by then the rank will
/// sit in MPI_Finalize.
pub(crate) fn attach(rank: &Rank) {
    let Some(a) = api() else { return };
    if !rank.is_python || !holds_lock() {
        return;
    }
    frames::find_layout(a);
    // SAFETY: the lock is held.
    unsafe {
        call_with(a, c"import atexit; atexit.register(f)", ending);
        ends::attach(a);
    }
}

/// Runs statements in which `f` is the given function, without arguments.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn call_with(a: &Api, statements: &CStr, f: unsafe extern "C" fn(Obj, Obj) -> Obj) {
    /// METH_NOARGS of CPython's methodobject.h.
    const NOARGS: c_int = 4;
    let method = Box::leak(Box::new(MethodDef {
        name: c"standoff".as_ptr(),
        function: f,
        flags: NOARGS,
        doc: core::ptr::null(),
    }));
    // SAFETY: by the caller's promise; the method definition lives for ever; counted references as documented.
    unsafe {
        let function = (a.PyCFunction_NewEx)(method, core::ptr::null_mut(), core::ptr::null_mut());
        let globals = (a.PyDict_New)();
        let builtins = (a.PyImport_ImportModule)(c"builtins".as_ptr());
        if function.is_null() || globals.is_null() || builtins.is_null() {
            return (a.PyErr_Clear)();
        }
        (a.PyDict_SetItemString)(globals, c"__builtins__".as_ptr(), builtins);
        (a.PyDict_SetItemString)(globals, c"f".as_ptr(), function);
        let done = (a.PyRun_String)(statements.as_ptr(), FILE_INPUT, globals, globals);
        if done.is_null() {
            (a.PyErr_Clear)();
        } else {
            (a.Py_DecRef)(done);
        }
        (a.Py_DecRef)(builtins);
        (a.Py_DecRef)(globals);
        (a.Py_DecRef)(function);
    }
}

/// None, as a new reference.
fn none() -> Obj {
    let (Some(a), Some(none)) = (api(), symbol("_Py_NoneStruct\0")) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the caller is a function that the interpreter calls with its lock held.
    unsafe { (a.Py_IncRef)(none as Obj) };
    none as Obj
}

/// The atexit function.
unsafe extern "C" fn ending(_: Obj, _: Obj) -> Obj {
    let Some(a) = api() else {
        return core::ptr::null_mut();
    };
    // SAFETY: the interpreter calls with its lock held.
    let raised = unsafe { run(a, RAISED) }.unwrap_or_default();
    if let Some(rank) = crate::rank::get() {
        if raised.is_empty() {
            ends::tell(rank);
        } else {
            rank.quiet(|_, b| put_text(&mut b.header.raised, &raised));
        }
    }
    none()
}
