//! `MPI_Init`, `MPI_Finalize`, `MPI_Abort`: joining the session and leaving it.

use super::comm::{New, WORLD_ID, enter};
use super::groups::world_group;
use super::{SUCCESS, registers, thread_or};
use crate::abi::Abi;
use crate::guard::{Call, InitCall};
use crate::rank::{self, Rank, put_text};
use crate::record::Recorder;
use crate::{helper, python, symbols, threads};
use core::sync::atomic::{AtomicU32, Ordering};
use standoff_board::layout::{self as lay, Board, recording, state, wait};
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Exit status: standoff itself could not work.
const BROKEN: i32 = 96;

unsafe extern "C" {
    fn on_exit(f: extern "C" fn(i32, *mut core::ffi::c_void), arg: *mut core::ffi::c_void) -> i32;
}

/// `MPI_Init` and `MPI_Init_thread`.
pub(crate) fn init(call: InitCall, real: impl FnOnce() -> i32) -> i32 {
    let rc = real();
    if rc == SUCCESS {
        // A panic in here must not reach the program.
        match std::panic::catch_unwind(attach) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => unwatched(&why),
            Err(_) => unwatched("the probe failed"),
        }
    }
    drop(call);
    rc
}

/// Says that this process could not be made a watched rank.
fn unwatched(why: &str) {
    crate::say(&format!("rank not watched: {why}"));
    if std::env::var_os(lay::RAISE_VAR).is_some() {
        // The others carry collectives out in another form, which this rank's would not match.
        crate::say("--on-deadlock raise needs all ranks: ending this one");
        // SAFETY: nothing of the program's has been done with MPI so far.
        unsafe { libc::_exit(BROKEN) }
    }
}

/// Makes this process a watched rank.
fn attach() -> Result<(), String> {
    let session = rank::session().ok_or("no session")?;
    let abi = Abi::detect().ok_or("an MPI library of an unknown kind")?;
    let (me, size) = (
        ask(c"PMPI_Comm_rank", abi.comm_world)?,
        ask(c"PMPI_Comm_size", abi.comm_world)?,
    );
    let level = thread_level(abi.thread_levels)?;
    let world = world_group(&abi).ok_or("MPI_Comm_group failed")?;
    let (board, path) = map_board(&session)?;
    // SAFETY: no arguments, no memory.
    let pid = unsafe { libc::getpid() } as u32;
    // SAFETY: freshly mapped, ours alone until it is renamed below.
    let b = unsafe { &mut *board };
    let h = &mut b.header;
    h.version = lay::VERSION;
    h.size = size_of::<Board>() as u32;
    h.pid = pid;
    h.rank = me as u32;
    h.world_size = size as u32;
    h.abi = abi.kind;
    h.thread_level = level;
    h.state = state::RUNNING;
    h.world_key = if size == 1 {
        u64::from(pid)
    } else {
        world_key(pid)
    };
    put_text(&mut h.library, &library_version());
    h.magic = lay::MAGIC;
    let is_python = python::load();
    h.python = u32::from(is_python);
    threads::attach(b, pid);
    let r = Rank::new(board, abi, level >= 2, path.clone(), is_python, world, size);
    r.change(|s, b| {
        let everyone: Vec<u32> = (0..size as u32).collect();
        let mut predefined = |handle, id, rank, group: &[u32], name| {
            enter(
                s,
                b,
                &New {
                    handle,
                    id,
                    rank,
                    group: Some(group),
                    remote: None,
                    inter: false,
                    name,
                },
            );
        };
        predefined(
            abi.comm_world,
            WORLD_ID,
            me as u32,
            &everyone,
            "MPI_COMM_WORLD",
        );
        predefined(
            abi.comm_self,
            2 + me as u64,
            0,
            &[me as u32],
            "MPI_COMM_SELF",
        );
        if let Some(directory) = std::env::var_os(lay::RECORD_VAR).filter(|d| !d.is_empty()) {
            let header = standoff_trace::Header {
                rank: me as u32,
                world_size: size as u32,
                world_key: b.header.world_key,
            };
            match Recorder::begin(Path::new(&directory), &file_name(), header) {
                Ok(mut recorder) => {
                    if let Some(force) = std::env::var_os(lay::FORCE_VAR) {
                        recorder.force(&Path::new(&force).join(me.to_string()));
                    }
                    s.recorder = Some(Box::new(recorder));
                    b.header.recording = recording::ON;
                    let event = standoff_trace::Event::Init { level: level as u8 };
                    s.record(b, 0, 0, &event);
                }
                Err(_) => b.header.recording = recording::LOST,
            }
        }
        if fault_tolerant() {
            rank::taint(b, "with fault tolerance, any wait may end in an error");
        }
    });
    crate::record::shadow(&r, abi.comm_world);
    let r = rank::publish(Box::new(r));
    crate::cut::guard(board);
    // The thread that initialized MPI gets slot 0; its MPI_Init is still in progress until this ends.
    let call = crate::guard::first_call(r);
    call.thread();
    helper::start(r)?;
    python::attach(r);
    // SAFETY: `exiting` is a plain function that checks which process it runs in.
    unsafe { on_exit(exiting, core::ptr::null_mut()) };
    crate::life::hold(&path.with_extension(lay::LIFE));
    let named = path.with_extension("board");
    std::fs::rename(&path, &named).map_err(|e| format!("{}: {e}", named.display()))
}

/// Open MPI was started `--with-ft`: a failed process or a revoked communicator ends waits that nothing else would.
fn fault_tolerant() -> bool {
    std::env::var("OMPI_MCA_mpi_ft_enable").is_ok_and(|v| !matches!(v.as_str(), "" | "0" | "false"))
}

/// An int that the library tells about a communicator.
fn ask(name: &core::ffi::CStr, comm: usize) -> Result<i32, String> {
    let f = symbols::library(name).ok_or("no MPI library found")?;
    let mut n = 0i32;
    // SAFETY: the signature of MPI_Comm_rank and MPI_Comm_size.
    let rc = unsafe {
        core::mem::transmute::<usize, unsafe extern "C" fn(usize, *mut i32) -> i32>(f)(
            comm, &raw mut n,
        )
    };
    if rc == SUCCESS {
        Ok(n)
    } else {
        Err(format!("{name:?} failed"))
    }
}

/// Thread level from 0 to 3.
fn thread_level(levels: [i32; 4]) -> Result<u32, String> {
    let f = symbols::library(c"PMPI_Query_thread").ok_or("no MPI_Query_thread")?;
    let mut n = 0i32;
    // SAFETY: MPI's signature.
    unsafe { core::mem::transmute::<usize, unsafe extern "C" fn(*mut i32) -> i32>(f)(&raw mut n) };
    // An unknown value: the most careful reading.
    Ok(levels.iter().position(|l| *l == n).unwrap_or(3) as u32)
}

fn library_version() -> String {
    let Some(f) = symbols::library(c"PMPI_Get_library_version") else {
        return String::new();
    };
    let mut text = vec![0u8; 8192];
    let mut n = 0i32;
    // SAFETY: MPI's signature; no library's maximum is above the buffer's size.
    unsafe {
        core::mem::transmute::<usize, unsafe extern "C" fn(*mut u8, *mut i32) -> i32>(f)(
            text.as_mut_ptr(),
            &raw mut n,
        );
    }
    let text = String::from_utf8_lossy(&text);
    let line = text.split(['\0', '\n']).next().unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the ranks of one job have in common and other jobs of the session do not: PMIx's namespace, or the launcher's local daemon.
fn world_key(pid: u32) -> u64 {
    let mut key = std::hash::DefaultHasher::new();
    use std::hash::{Hash, Hasher};
    for var in [
        "PMIX_NAMESPACE",
        "PMI_SPAWNED",
        "PMI_JOBID",
        "SLURM_STEP_ID",
    ] {
        std::env::var_os(var).hash(&mut key);
    }
    let mut at = pid;
    for _ in 0..32 {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{at}/stat")) else {
            break;
        };
        // "pid (name) state ppid …"; the name may contain anything.
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else {
            break;
        };
        let name = &stat[open + 1..close];
        if at != pid && standoff_board::source::daemon(name) {
            at.hash(&mut key);
            break;
        }
        match stat[close + 1..]
            .split_whitespace()
            .nth(1)
            .and_then(|p| p.parse().ok())
        {
            Some(p) if p > 1 => at = p,
            _ => break,
        }
    }
    key.finish()
}

/// The rank's name for its files. Process numbers are those of a namespace: a container has its own.
fn file_name() -> String {
    let namespace = std::fs::metadata("/proc/self/ns/pid").map_or(0, |m| m.ino());
    format!("rank-{}-{namespace}", std::process::id())
}

/// Makes and maps this rank's board: in the session directory, or if that is full in the temporary directory, with a link to it.
fn map_board(session: &Path) -> Result<(*mut Board, PathBuf), String> {
    let name = file_name();
    let path = session.join(&name).with_extension("new");
    match make(&path) {
        Ok(b) => Ok((b, path)),
        Err(first) => {
            let _ = std::fs::remove_file(&path);
            let tag = session
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let other = std::env::temp_dir().join(format!("{tag}-{name}.board"));
            let why = |e: std::io::Error| {
                format!("{}: {first}; {}: {e}", path.display(), other.display())
            };
            let b = make(&other).map_err(why)?;
            std::os::unix::fs::symlink(&other, &path).map_err(why)?;
            Ok((b, path))
        }
    }
}

fn make(path: &Path) -> std::io::Result<*mut Board> {
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    // Reserved now: a file system that fills up later would kill the rank with SIGBUS.
    // SAFETY: an open descriptor.
    let rc = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size_of::<Board>() as i64) };
    if rc != 0 {
        let _ = std::fs::remove_file(path);
        return Err(std::io::Error::from_raw_os_error(rc));
    }
    // SAFETY: a new mapping of a file of this size; zeroes are a valid board.
    let p = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            size_of::<Board>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if p == libc::MAP_FAILED {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(p.cast())
    }
}

/// `MPI_Finalize`.
pub(crate) fn finalize(call: Call, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    let regs = registers();
    let ours = crate::record::ours(rank);
    let callbacks = rank.change(|s, b| {
        let callbacks = s.self_attrs > 0;
        if let Some(t) = b.threads.get_mut(thread.slot) {
            t.function = call.function;
            t.registers = regs;
            t.wait = if callbacks {
                wait::OPAQUE
            } else {
                wait::FINALIZE
            };
            super::end_polls(t);
        }
        if !callbacks {
            b.header.state = state::FINALIZING;
            if s.recorder.is_some() {
                let place = crate::place::look(&call, b, thread);
                s.end_recording(b, thread.slot, place);
            }
        }
        callbacks
    });
    keep_modules(rank);
    if let Some(rescue) = &rank.rescue {
        crate::rescue::drain(rank, rescue);
    }
    crate::record::finish(rank, ours);
    if !callbacks && let Some(directory) = std::env::var_os(lay::RECORD_VAR) {
        // SAFETY: a word of the mapping that only the rank itself writes.
        let me = unsafe { (*rank.board).header.rank };
        crate::eager::measure(rank, me, Path::new(&directory));
    }
    if callbacks {
        // They run inside, and what they call is the program's own.
        call.open();
    }
    let rc = real();
    rank.change(|s, b| {
        s.end_recording(b, thread.slot, 0);
        b.header.state = state::FINALIZED;
        super::unblock(b, thread.slot);
    });
    rc
}

/// Keeps a copy of the list of modules beside the board: after the end of the process nobody else can tell which code an address
/// of a call was in. Python's places are lines already.
pub(super) fn keep_modules(rank: &Rank) {
    if !rank.is_python {
        let _ = std::fs::copy("/proc/self/maps", rank.path.with_extension("maps"));
        let recorded = std::env::var_os(lay::RECORD_VAR).filter(|d| !d.is_empty());
        if let (Some(directory), Some(name)) = (recorded, rank.path.file_stem()) {
            let path = Path::new(&directory).join(name).with_extension("maps");
            let _ = std::fs::copy("/proc/self/maps", path);
        }
    }
}

/// `MPI_Abort`.
pub(crate) fn abort(call: Call, code: i32, real: impl FnOnce() -> i32) -> i32 {
    let thread = call.thread();
    call.rank.change(|_, b| {
        b.header.end_place = thread.map_or(0, |t| crate::place::look(&call, b, t));
        b.header.abort_code = code;
        b.header.state = state::ABORTING;
    });
    real()
}

/// The process leaves through exit(), with this status.
extern "C" fn exiting(status: i32, _: *mut core::ffi::c_void) {
    let Some(rank) = rank::get() else { return };
    // SAFETY: the mapping lives as long as the process; an aligned u32 that the monitor reads.
    unsafe {
        if (*rank.board).header.pid == libc::getpid() as u32 {
            AtomicU32::from_ptr(&raw mut (*rank.board).header.exit)
                .store(1 + (status as u32 & 0xff), Ordering::Release);
        }
    }
}
