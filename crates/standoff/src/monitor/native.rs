//! Native stacks: unwound and symbolized here, never in the rank.
//!
//! A wrapper has left three registers on the board; the stack above them stands still while its call blocks. It is
//! copied from the rank's memory and unwound by the modules' `.eh_frame` (crate `framehop`); addresses become lines
//! by debug information (crate `addr2line`).

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::IoSliceMut;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{ExplicitModuleSectionInfo, FrameAddress, Module, Unwinder};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use object::read::ReadCache;
use object::{Object, ObjectSection, ObjectSegment};
use standoff_report::Frame;

/// Stack copied at first, which nearly always reaches to its outermost frame, and at most.
const STACK: [usize; 2] = [32 * 1024, 1024 * 1024];
/// Frames shown at most.
const DEPTH: usize = 64;

type Bytes = Arc<[u8]>;

/// What a module's file tells.
struct Image {
    /// (file offset, address) of each loaded segment.
    segments: Vec<(u64, u64)>,
    eh_frame: Option<(Range<u64>, Bytes)>,
    eh_frame_hdr: Option<(Range<u64>, Bytes)>,
    text: Option<Range<u64>>,
    /// Debug information; loaded when a frame is in this module, which most modules never have.
    loader: OnceCell<Option<addr2line::Loader>>,
}

/// Unwinds the stacks of one session's ranks; files are read once.
#[derive(Default)]
pub struct Native {
    images: HashMap<String, Option<Rc<Image>>>,
    /// By process.
    loaded: HashMap<i32, Rc<[Loaded]>>,
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

/// A module of a process.
struct Loaded {
    path: String,
    range: Range<u64>,
    bias: u64,
    image: Rc<Image>,
}

/// Where a thread is.
pub struct Place<'a> {
    /// Its process.
    pub pid: i32,
    /// rip, rsp, rbp as its wrapper left them.
    pub registers: [u64; 3],
    /// The top of its stack, if a copy was kept.
    pub kept: Option<&'a [u8]>,
}

impl Native {
    /// The frames above the probe, innermost first.
    pub fn frames(&mut self, place: &Place<'_>) -> Vec<Frame> {
        let [rip, rsp, rbp] = place.registers;
        if rip == 0 {
            return Vec::new();
        }
        let modules = self.loaded(place.pid);
        let mut unwinder = UnwinderX86_64::new();
        for m in modules.iter() {
            unwinder.add_module(module(m));
        }
        let mut cache = CacheX86_64::<_>::new();
        let mut walk = |stack: &[u8]| {
            let mut short = false;
            let mut read = |address: u64| {
                let at = address.checked_sub(rsp).ok_or(())? as usize;
                let word = stack.get(at..at.checked_add(8).ok_or(())?);
                short |= word.is_none();
                let word = word.ok_or(())?.try_into().map_err(|_| ())?;
                Ok(u64::from_ne_bytes(word))
            };
            let registers = UnwindRegsX86_64::new(rip, rsp, rbp);
            let mut frames = unwinder.iter_frames(rip, registers, &mut cache, &mut read);
            let mut addresses = Vec::new();
            while let Ok(Some(frame)) = frames.next() {
                addresses.push(match frame {
                    FrameAddress::InstructionPointer(a) => a,
                    // The call is the instruction before the one that is returned to.
                    FrameAddress::ReturnAddress(a) => a.get() - 1,
                });
                if addresses.len() >= DEPTH {
                    break;
                }
            }
            (addresses, short)
        };
        let addresses = match place.kept {
            Some(kept) => walk(kept).0,
            None => match walk(&copy(place.pid, rsp, STACK[0])) {
                (_, true) => walk(&copy(place.pid, rsp, STACK[1])).0,
                (addresses, false) => addresses,
            },
        };
        let mut frames = Vec::new();
        for address in addresses {
            if let Some(m) = modules.iter().find(|m| m.range.contains(&address)) {
                symbolize(m, address, &mut frames);
            }
        }
        frames
    }

    /// The functions at an address of a process, innermost first: several where some are inlined. `kept`: its list of modules, which
    /// it leaves behind.
    pub fn lines(&mut self, pid: i32, kept: &Path, address: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        if !self.loaded.contains_key(&pid)
            && let Ok(maps) = fs::read_to_string(kept)
        {
            let modules = self.listed(&maps).into();
            self.loaded.insert(pid, modules);
        }
        let modules = self.loaded(pid);
        if let Some(module) = modules.iter().find(|m| m.range.contains(&address)) {
            symbolize(module, address, &mut frames);
        }
        frames
    }

    fn loaded(&mut self, pid: i32) -> Rc<[Loaded]> {
        if let Some(known) = self.loaded.get(&pid) {
            return known.clone();
        }
        let modules: Rc<[Loaded]> = self.modules(pid).into();
        self.loaded.insert(pid, modules.clone());
        modules
    }

    fn modules(&mut self, pid: i32) -> Vec<Loaded> {
        let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else {
            return Vec::new();
        };
        self.listed(&maps)
    }

    /// The modules in a text like `/proc/PID/maps`.
    fn listed(&mut self, maps: &str) -> Vec<Loaded> {
        let mut ranges: Vec<(String, Range<u64>, u64)> = Vec::new();
        for line in maps.lines() {
            let mut fields = line.splitn(6, char::is_whitespace);
            let (Some(range), Some(_), Some(offset), Some(_), Some(_), Some(path)) = (
                fields.next(),
                fields.next(),
                fields.next(),
                fields.next(),
                fields.next(),
                fields.next(),
            ) else {
                continue;
            };
            let path = path.trim();
            let Some((from, to)) = range.split_once('-') else {
                continue;
            };
            let hex = |s| u64::from_str_radix(s, 16).unwrap_or(0);
            if !path.starts_with('/') || beside(path) {
                continue;
            }
            match ranges.iter_mut().find(|r| r.0 == path) {
                Some(r) => r.1.end = r.1.end.max(hex(to)),
                None => ranges.push((path.to_owned(), hex(from)..hex(to), hex(offset))),
            }
        }
        ranges
            .into_iter()
            .filter_map(|(path, range, offset)| {
                let image = self.image(&path)?;
                let address = image
                    .segments
                    .iter()
                    .find(|s| s.0 & !0xfff == offset)
                    .map_or(0, |s| s.1 & !0xfff);
                let bias = range.start.wrapping_sub(address);
                Some(Loaded {
                    path,
                    range,
                    bias,
                    image,
                })
            })
            .collect()
    }

    fn image(&mut self, path: &str) -> Option<Rc<Image>> {
        self.images
            .entry(path.to_owned())
            .or_insert_with(|| image(path).map(Rc::new))
            .clone()
    }
}

/// Bindings for Fortran and C++ are MPI libraries by name, but stand between the program and a wrapper.
const BINDINGS: [&str; 7] = [
    "libmpifort",
    "libmpichf",
    "libmpi_mpifh",
    "libmpi_usempi",
    "libmpi_cxx",
    "libmpicxx",
    "libmpichcxx",
];

/// Libraries below a wrapper, never above it: reading their tables would cost the most of all.
fn beside(path: &str) -> bool {
    const BELOW: [&str; 11] = [
        "libmpi",
        "libopen-",
        "libpmix",
        "libprrte",
        "libuc",
        "libfabric",
        "libhwloc",
        "libevent",
        "mca_",
        "libnvidia",
        "libcuda",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    BELOW.iter().any(|b| name.starts_with(b)) && !BINDINGS.iter().any(|b| name.starts_with(b))
}

fn image(path: &str) -> Option<Image> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let file = object::File::parse(&cache).ok()?;
    let range = |s: &object::Section<'_, '_, _>| s.address()..s.address() + s.size();
    let section = |name: &str| {
        let s = file.section_by_name(name)?;
        Some((range(&s), Bytes::from(s.data().ok()?)))
    };
    Some(Image {
        segments: file
            .segments()
            .map(|s| (s.file_range().0, s.address()))
            .collect(),
        eh_frame: section(".eh_frame"),
        eh_frame_hdr: section(".eh_frame_hdr"),
        text: file.section_by_name(".text").map(|s| range(&s)),
        loader: OnceCell::new(),
    })
}

fn module(m: &Loaded) -> Module<Bytes> {
    let (eh_frame_svma, eh_frame) = m.image.eh_frame.clone().unzip();
    let (eh_frame_hdr_svma, eh_frame_hdr) = m.image.eh_frame_hdr.clone().unzip();
    Module::new(
        m.path.clone(),
        m.range.clone(),
        m.bias,
        ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: m.image.text.clone(),
            eh_frame_svma,
            eh_frame,
            eh_frame_hdr_svma,
            eh_frame_hdr,
            ..Default::default()
        },
    )
}

/// The stack from its top on, as far as it goes, up to `size` bytes.
fn copy(pid: i32, rsp: u64, mut size: usize) -> Vec<u8> {
    let mut stack = vec![0u8; size];
    while size >= 4096 {
        let mut local = [IoSliceMut::new(&mut stack[..size])];
        let remote = [RemoteIoVec {
            base: rsp as usize,
            len: size,
        }];
        match process_vm_readv(Pid::from_raw(pid), &mut local, &remote) {
            Ok(n) if n > 0 => {
                stack.truncate(n);
                return stack;
            }
            _ => size /= 2,
        }
    }
    // Where that call is forbidden, the file may still be readable.
    use std::os::unix::fs::FileExt;
    let n = File::open(format!("/proc/{pid}/mem"))
        .and_then(|mem| mem.read_at(&mut stack, rsp))
        .unwrap_or(0);
    stack.truncate(n);
    stack
}

/// Appends the frames at an address, inlined ones first. Frames of the probe and of MPI libraries are left out.
fn symbolize(m: &Loaded, address: u64, out: &mut Vec<Frame>) {
    let name = m.path.rsplit('/').next().unwrap_or(&m.path);
    if name.starts_with("libstandoff") || name.starts_with("libmpi") {
        return;
    }
    let at = address.wrapping_sub(m.bias);
    let loader = m
        .image
        .loader
        .get_or_init(|| addr2line::Loader::new(&m.path).ok());
    let loader = loader.as_ref();
    let mut located = false;
    if let Some(Ok(mut frames)) = loader.map(|l| l.find_frames(at)) {
        while let Ok(Some(frame)) = frames.next() {
            let function = frame
                .function
                .and_then(|f| f.demangle().ok().map(|d| written(&d)));
            if let Some(location) = frame.location
                && let (Some(file), Some(line)) = (location.file, location.line)
            {
                out.push(Frame::at(file, line, function.unwrap_or_default()));
                located = true;
            }
        }
    }
    if !located {
        let symbol = loader.and_then(|l| l.find_symbol_info(at));
        let (function, start) = match symbol {
            Some(s) => (
                Some(written(&addr2line::demangle_auto(s.name().into(), None))),
                s.address(),
            ),
            None => (None, 0),
        };
        out.push(Frame {
            function,
            module: Some(name.to_owned()),
            offset: Some((at + 1).wrapping_sub(start)),
            hint: Some("compile with -g to see the line".to_owned()),
            ..Frame::default()
        });
    }
}

/// A function's name as its programmer knows it: gfortran's names of module procedures (`__solver_MOD_exchange`), which no
/// demangler knows, taken apart; Rust's without the hash.
fn written(name: &str) -> String {
    if let Some((module, procedure)) = name
        .strip_prefix("__")
        .and_then(|rest| rest.split_once("_MOD_"))
    {
        return format!("{module}::{procedure}");
    }
    let hash = |h: &str| h.len() == 17 && h[1..].bytes().all(|b| b.is_ascii_hexdigit());
    match name.rsplit_once("::") {
        Some((path, h)) if h.starts_with('h') && hash(h) => path.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{beside, written};

    #[test]
    fn names_are_those_of_the_source() {
        assert_eq!(written("__solver_MOD_exchange"), "solver::exchange");
        assert_eq!(written("ring::pass::h0123456789abcdef"), "ring::pass");
        assert_eq!(written("halo::hall"), "halo::hall");
        assert_eq!(written("main"), "main");
    }

    #[test]
    fn bindings_are_unwound_through_and_their_library_is_not_read() {
        for below in ["libmpi.so.40", "libmpich.so.12", "libmpi_abi.so.1"] {
            assert!(beside(&format!("/usr/lib/{below}")), "{below}");
        }
        for above in [
            "libmpifort.so.12",
            "libmpichfort.so.12",
            "libmpi_mpifh-gfortran.so.40",
            "libmpi_usempif08.so.40",
            "libmpi_cxx.so.40",
        ] {
            assert!(!beside(&format!("/usr/lib/{above}")), "{above}");
        }
    }
}
