//! Which line of Python calls MPI: read from the calling thread's own frames, without the interpreter lock.
//!
//! mpi4py gives the lock away before it calls MPI, and taking it back here could block a program that is right (another thread may
//! hold it while it waits, in MPI, for this one). But a thread's own frames stand still while it is in a call, and the code objects that they
//! refer to live as long, so they can be read where they are. Where the fields lie differs with the version: the offsets are found at the
//! start, by comparing memory with what the interpreter says of a function that is made for that. If they can't be found there are no places.
//!
//! A line is looked up once for each (code, instruction), in a small cache of each thread; the rest is a few loads.

use super::{Api, Obj, api, symbol};
use crate::place;
use core::ffi::{c_int, c_long};
use standoff_board::layout::{Board, Place, TEXT};
use standoff_board::source::own_python;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, OnceLock};

/// Frames looked through for one of the user's own.
const DEPTH: usize = 24;
/// Entries of a thread's cache (a power of two).
const CACHE: usize = 128;
/// Longest name of a file or function.
const NAME: usize = 480;
/// In the cache: a frame of a library, above which the search goes on.
const LIBRARY: u32 = u32::MAX;

/// Where things are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Layout {
    /// The frame pointer in the thread state, or in a structure that the thread state points to.
    state: usize,
    indirect: Option<usize>,
    /// In a frame: its code, the frame that called it, the instruction.
    code: usize,
    back: usize,
    at: At,
    /// In a code object: two strings.
    name: usize,
    file: usize,
}

/// How a frame tells its instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// An index, in so many bytes.
    Index { offset: usize, unit: usize },
    /// A pointer; the code's first instruction is `start` bytes into the code object.
    Pointer { offset: usize, start: usize },
}

/// The interpreter's functions that are used without its lock. They read what does not change, and nothing else.
struct Readers {
    line: unsafe extern "C" fn(Obj, c_int) -> c_int,
    length: unsafe extern "C" fn(Obj) -> isize,
    character: unsafe extern "C" fn(Obj, isize) -> u32,
    state: unsafe extern "C" fn() -> Obj,
    code_type: usize,
    layout: Layout,
}

static READERS: OnceLock<Option<Readers>> = OnceLock::new();

/// A line that was looked up.
#[derive(Clone, Copy, Default)]
struct Known {
    code: usize,
    at: usize,
    /// The code's name: tells a new code object at an old one's address from that.
    name: usize,
    function: u32,
    /// Index of the place, 0 (none), or [`LIBRARY`].
    place: u32,
}

/// What a thread remembers.
pub(crate) struct Cache([Known; CACHE]);

impl Cache {
    pub fn new() -> Box<Cache> {
        Box::new(Cache([Known::default(); CACHE]))
    }
}

/// Where a line is remembered: here, or in the entry beside it.
///
/// Fibonacci hashing, as in [`crate::map`]: a look-up costs a microsecond, and the few lines of a loop lie close together.
#[inline(always)]
fn home(code: usize, at: usize, function: u32) -> usize {
    let key = at as u64 ^ (code as u64).rotate_left(20) ^ u64::from(function) << 48;
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHE.trailing_zeros())) as usize
}

/// Code objects' tags (CPython 3.14 keeps some in the low bits).
const TAGS: usize = 7;

/// Reads a word of this process.
///
/// # Safety
/// There is one.
#[inline(always)]
unsafe fn word(address: usize) -> usize {
    // SAFETY: by the caller's promise.
    unsafe { (address as *const usize).read() }
}

/// The place of the calling thread's innermost frame of the user's own; its count goes up. 0 if there is none.
#[inline(always)]
pub(crate) fn place(b: &mut Board, lines: &mut Cache, function: u32) -> u32 {
    match READERS.get() {
        Some(Some(readers)) => readers.place(b, lines, function),
        _ => 0,
    }
}

/// Whether the calling thread is in a Python function; `None` if that cannot be told.
pub(super) fn running() -> Option<bool> {
    let readers = READERS.get()?.as_ref()?;
    let layout = &readers.layout;
    // SAFETY: as in `Readers::place`.
    unsafe {
        let state = (readers.state)() as usize;
        if state == 0 {
            return None;
        }
        let mut frame = word(state + layout.state);
        if let (Some(more), true) = (layout.indirect, frame != 0) {
            frame = word(frame + more);
        }
        while frame != 0 {
            let code = word(frame + layout.code) & !TAGS;
            if code != 0 && word(code + size_of::<usize>()) == readers.code_type {
                return Some(true);
            }
            frame = word(frame + layout.back);
        }
    }
    Some(false)
}

impl Readers {
    fn place(&self, b: &mut Board, cache: &mut Cache, function: u32) -> u32 {
        let layout = &self.layout;
        // SAFETY: takes nothing. What it gives is this thread's own state, alive while it calls; its frames and their code live as long,
        // and only this thread changes them. The offsets were compared with what the interpreter says.
        unsafe {
            let state = (self.state)() as usize;
            if state == 0 {
                return 0;
            }
            let mut frame = word(state + layout.state);
            if let Some(more) = layout.indirect {
                if frame == 0 {
                    return 0;
                }
                frame = word(frame + more);
            }
            for _ in 0..DEPTH {
                if frame == 0 {
                    return 0;
                }
                let code = word(frame + layout.code) & !TAGS;
                // Frames between C and Python have no code.
                if code != 0 && word(code + size_of::<usize>()) == self.code_type {
                    match self.line(b, cache, frame, code, function) {
                        LIBRARY => {}
                        place => return place,
                    }
                }
                frame = word(frame + layout.back);
            }
        }
        0
    }

    /// # Safety
    /// A live frame of this thread and its code.
    #[inline(always)]
    unsafe fn line(
        &self,
        b: &mut Board,
        cache: &mut Cache,
        frame: usize,
        code: usize,
        function: u32,
    ) -> u32 {
        // SAFETY: by the caller's promise.
        let (at, name) = unsafe {
            let at = match self.layout.at {
                At::Index { offset, .. } => ((frame + offset) as *const i32).read() as usize,
                At::Pointer { offset, .. } => word(frame + offset),
            };
            (at, word(code + self.layout.name))
        };
        let i = home(code, at, function);
        let same = |known: &Known| {
            (known.code, known.at, known.name, known.function) == (code, at, name, function)
        };
        for known in [&cache.0[i], &cache.0[i ^ 1]] {
            if same(known) {
                if known.place != LIBRARY
                    && let Some(place) = b.places.get_mut(known.place as usize)
                {
                    place.count += 1;
                }
                return known.place;
            }
        }
        // SAFETY: as above.
        let place = unsafe { self.look_up(b, code, at, function) };
        // The one that was looked up last stays: two lines that take turns must not drive each other out.
        cache.0[i ^ 1] = cache.0[i];
        cache.0[i] = Known {
            code,
            at,
            name,
            function,
            place,
        };
        place
    }

    /// # Safety
    /// As [`Readers::line`].
    #[cold]
    unsafe fn look_up(&self, b: &mut Board, code: usize, at: usize, function: u32) -> u32 {
        // SAFETY: a live code object, whose fields these are.
        let (line, file, name) = unsafe {
            let index = match self.layout.at {
                At::Index { unit, .. } => at.wrapping_mul(unit),
                At::Pointer { start, .. } => at.wrapping_sub(code + start),
            };
            let line = (self.line)(code as Obj, index as c_int);
            let file = self.text(word(code + self.layout.file));
            (line, file, self.text(word(code + self.layout.name)))
        };
        let (Some(file), Some(name), Ok(line @ 1..)) = (file, name, u32::try_from(line)) else {
            return 0;
        };
        if !own_python(file.as_str()) {
            return LIBRARY;
        }
        let new = Place {
            key: hash(&[
                file.bytes(),
                name.bytes(),
                &line.to_ne_bytes(),
                &function.to_ne_bytes(),
            ]),
            function,
            line,
            ..Place::default()
        };
        let mut intern = |text: &Text| intern(&mut b.text, &mut b.header.text_used, text.bytes());
        let (Some(file), Some(name)) = (intern(&file), intern(&name)) else {
            return 0;
        };
        let new = Place { file, name, ..new };
        place::find(b, new)
    }

    /// # Safety
    /// A live string of the interpreter.
    unsafe fn text(&self, string: usize) -> Option<Text> {
        let mut text = Text {
            bytes: [0; NAME],
            len: 0,
        };
        // SAFETY: by the caller's promise; both only read, and check what they are given.
        unsafe {
            let length = (self.length)(string as Obj);
            for i in 0..length {
                let c = char::from_u32((self.character)(string as Obj, i)).unwrap_or('?');
                let end = text.len + c.len_utf8();
                c.encode_utf8(text.bytes.get_mut(text.len..end)?);
                text.len = end;
            }
        }
        Some(text)
    }
}

/// A short text that needs no allocation.
struct Text {
    bytes: [u8; NAME],
    len: usize,
}

impl Text {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(self.bytes()).unwrap_or("")
    }
}

/// Offset of a NUL-terminated text in the table of texts, where it is added if it is not there; `None` if there is no room.
fn intern(table: &mut [u8; TEXT], used: &mut u32, text: &[u8]) -> Option<u32> {
    let mut at = 0;
    while at < *used as usize {
        let end = at + table[at..].iter().position(|b| *b == 0)?;
        if &table[at..end] == text {
            return u32::try_from(at).ok();
        }
        at = end + 1;
    }
    table.get_mut(at..=at + text.len())?[..text.len()].copy_from_slice(text);
    *used = (at + text.len() + 1) as u32;
    u32::try_from(at).ok()
}

/// FNV-1a (Fowler, Noll, Vo), never 0.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64;
    for b in parts.iter().flat_map(|p| p.iter().chain(&[0xff])) {
        h = (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3);
    }
    h.max(1)
}

/// A function that is called from two lines of one that is called from two lines.
const SAMPLE: &core::ffi::CStr = c"
def inner(f):
    f()
    if f:
        f()
def outer(f):
    inner(f)
    inner(f)
outer(f)
";

/// What fits all samples so far; `None` before the first.
static FITTING: Mutex<Option<Vec<Layout>>> = Mutex::new(None);

/// Finds the offsets. The caller holds the interpreter lock.
pub(super) fn find_layout(a: &Api) {
    READERS.get_or_init(|| {
        // SAFETY: the lock is held.
        unsafe { super::call_with(a, SAMPLE, sample) };
        let layout = *FITTING.lock().ok()?.as_ref()?.first()?;
        // SAFETY: the documented signatures of these functions.
        unsafe {
            Some(Readers {
                line: core::mem::transmute::<usize, unsafe extern "C" fn(Obj, c_int) -> c_int>(
                    symbol("PyCode_Addr2Line\0")?,
                ),
                length: core::mem::transmute::<usize, unsafe extern "C" fn(Obj) -> isize>(symbol(
                    "PyUnicode_GetLength\0",
                )?),
                character: core::mem::transmute::<usize, unsafe extern "C" fn(Obj, isize) -> u32>(
                    symbol("PyUnicode_ReadChar\0")?,
                ),
                state: a.PyGILState_GetThisThreadState,
                code_type: symbol("PyCode_Type\0")?,
                layout,
            })
        }
    });
}

/// What the interpreter says of the calling frame.
struct Said {
    state: usize,
    code: usize,
    back: usize,
    lasti: usize,
    name: usize,
    file: usize,
}

/// Called by the sample: keeps the layouts that fit.
unsafe extern "C" fn sample(_: Obj, _: Obj) -> Obj {
    // SAFETY: the interpreter calls with its lock held.
    unsafe {
        if let (Some(a), Ok(mut fitting)) = (api(), FITTING.lock())
            && let Some(said) = ask(a)
            && let Some(memory) = Memory::open()
        {
            match fitting.as_mut() {
                Some(fitting) => fitting.retain(|layout| fits(&memory, &said, layout)),
                None => *fitting = Some(candidates(&memory, &said)),
            }
        }
    }
    super::none()
}

/// # Safety
/// The interpreter lock is held, and there is a Python frame.
unsafe fn ask(a: &Api) -> Option<Said> {
    let as_long = symbol("PyLong_AsLong\0")?;
    // SAFETY: by the caller's promise; references are given back, and what they refer to is kept alive by the frames.
    unsafe {
        let as_long = core::mem::transmute::<usize, unsafe extern "C" fn(Obj) -> c_long>(as_long);
        let attribute = |object: Obj, name: &core::ffi::CStr| {
            let value = (a.PyObject_GetAttrString)(object, name.as_ptr());
            if value.is_null() {
                (a.PyErr_Clear)();
                None
            } else {
                Some(value)
            }
        };
        let frame = (a.PyEval_GetFrame)();
        if frame.is_null() {
            return None;
        }
        let code = (a.PyFrame_GetCode)(frame);
        (a.Py_DecRef)(code);
        let caller = (a.PyFrame_GetBack)(frame);
        if caller.is_null() {
            return None;
        }
        let back = (a.PyFrame_GetCode)(caller);
        (a.Py_DecRef)(back);
        (a.Py_DecRef)(caller);
        let index = attribute(frame, c"f_lasti")?;
        let lasti = as_long(index);
        (a.Py_DecRef)(index);
        let name = attribute(code, c"co_name")?;
        (a.Py_DecRef)(name);
        let file = attribute(code, c"co_filename")?;
        (a.Py_DecRef)(file);
        Some(Said {
            state: (a.PyGILState_GetThisThreadState)() as usize,
            code: code as usize,
            back: back as usize,
            lasti: usize::try_from(lasti).ok()?,
            name: name as usize,
            file: file as usize,
        })
    }
}

/// This process's memory, read so that an address which is none does no harm.
struct Memory(File);

impl Memory {
    fn open() -> Option<Memory> {
        File::open("/proc/self/mem").ok().map(Memory)
    }

    fn word(&self, address: usize) -> Option<usize> {
        let mut word = [0u8; 8];
        (address > 4096 && address.is_multiple_of(4)).then_some(())?;
        self.0.read_exact_at(&mut word, address as u64).ok()?;
        Some(usize::from_ne_bytes(word))
    }

    fn index(&self, address: usize) -> Option<usize> {
        Some((self.word(address)? as u32) as usize)
    }
}

/// The frame that a layout leads to.
fn frame(memory: &Memory, said: &Said, state: usize, indirect: Option<usize>) -> Option<usize> {
    let frame = memory.word(said.state + state)?;
    match indirect {
        Some(more) => memory.word(frame.checked_add(more)?),
        None => Some(frame),
    }
}

fn is_code(memory: &Memory, frame: Option<usize>, offset: usize, code: usize) -> bool {
    frame
        .and_then(|f| memory.word(f.checked_add(offset)?))
        .is_some_and(|c| c & !TAGS == code)
}

fn fits(memory: &Memory, said: &Said, layout: &Layout) -> bool {
    let frame = frame(memory, said, layout.state, layout.indirect);
    let back = frame.and_then(|f| memory.word(f + layout.back));
    let code = |offset| memory.word(said.code + offset);
    let at = frame.and_then(|f| match layout.at {
        At::Index { offset, unit } => Some(memory.index(f + offset)? * unit),
        At::Pointer { offset, start } => memory.word(f + offset)?.checked_sub(said.code + start),
    });
    is_code(memory, frame, layout.code, said.code)
        && is_code(memory, back, layout.code, said.back)
        && at == Some(said.lasti)
        && (code(layout.name), code(layout.file)) == (Some(said.name), Some(said.file))
}

/// All layouts that fit one sample.
fn candidates(memory: &Memory, said: &Said) -> Vec<Layout> {
    let words = |n: usize| (0..n).map(|i| i * size_of::<usize>());
    let mut out = Vec::new();
    let named = |what| words(40).find(|&o| memory.word(said.code + o) == Some(what));
    let (Some(name), Some(file)) = (named(said.name), named(said.file)) else {
        return out;
    };
    for state in words(40) {
        for indirect in [None, Some(0), Some(8)] {
            let Some(here) = frame(memory, said, state, indirect) else {
                continue;
            };
            for code in words(8).filter(|&o| is_code(memory, Some(here), o, said.code)) {
                let backs = words(10).filter(|&o| {
                    let back = memory.word(here + o);
                    back != Some(here) && is_code(memory, back, code, said.back)
                });
                for back in backs {
                    let indices = (16..30)
                        .map(|i| i * 4)
                        .flat_map(|offset| [1, 2].map(|unit| At::Index { offset, unit }));
                    // Pointers before indices: what looks like an index may be chance in a newer frame.
                    let pointers = (0..16).map(|i| i * 8).filter_map(|offset| {
                        let at = memory.word(here + offset)?;
                        let start = at.checked_sub(said.code + said.lasti)?;
                        (64..1024)
                            .contains(&start)
                            .then_some(At::Pointer { offset, start })
                    });
                    for at in pointers.chain(indices) {
                        let layout = Layout {
                            state,
                            indirect,
                            code,
                            back,
                            at,
                            name,
                            file,
                        };
                        if fits(memory, said, &layout) {
                            out.push(layout);
                        }
                    }
                }
            }
        }
    }
    out
}
