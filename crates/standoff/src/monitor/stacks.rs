//! Where the threads of some ranks are.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use standoff_board::layout::{Header, command, state, wait};
use standoff_board::read::text;
use standoff_report::Frame;

use super::native::{Native, Place};
use super::pause::Paused;
use super::picture::Reading;
use super::ranks::{Rank, World};

/// How long ranks have to write down their Python stacks.
const PATIENCE: Duration = Duration::from_millis(300);

/// What threads do, by (rank, slot).
#[derive(Debug, Default)]
pub struct Stacks {
    /// Innermost frame of the user's own code first.
    pub frames: BTreeMap<(usize, usize), Vec<Frame>>,
    /// An exception that a Python thread is handling (in `except`, `finally` or `__exit__`), and where it was raised.
    pub handling: BTreeMap<(usize, usize), (String, Vec<Frame>)>,
}

/// Asks the `wanted` ranks for their stacks, and pauses each that has nothing more to say.
pub fn collect(
    world: &World,
    readings: &[Option<Reading>],
    wanted: &[usize],
    mut pause: Option<&mut Paused>,
    native: &mut Native,
) -> Stacks {
    let mut quiet = |rank: &Rank| {
        if let (Some(pause), Some(process)) = (pause.as_mut(), rank.process) {
            pause.add(process);
        }
    };
    let ranks: Vec<(&Rank, &Reading)> = wanted
        .iter()
        .filter_map(|&r| Some((world.ranks.get(r)?.as_ref()?, readings.get(r)?.as_ref()?)))
        .filter(|(rank, reading)| {
            !rank.gone
                && !matches!(
                    reading.copy.header.state,
                    state::FINALIZED | state::ABORTING
                )
        })
        .collect();
    // A serial number that this rank has not seen, and never the word that it starts with.
    let word = |h: &Header| (h.command >> 8).wrapping_add(1).max(1) << 8 | command::STACKS;
    let mut waiting: Vec<(&Rank, u32)> = Vec::new();
    for (rank, reading) in &ranks {
        let header = &reading.copy.header;
        let word = word(header);
        if header.python != 0 && header.state == state::RUNNING && rank.board.command(word).is_ok()
        {
            waiting.push((rank, word));
        } else {
            quiet(rank);
        }
    }
    let until = Instant::now() + PATIENCE;
    while !waiting.is_empty() && Instant::now() < until {
        waiting.retain(|(rank, word)| {
            let waits = rank.board.done().is_ok_and(|done| done != *word);
            if !waits {
                quiet(rank);
            }
            waits
        });
        if !waiting.is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let mut out = Stacks::default();
    for (rank, reading) in ranks {
        let python = python_stacks(rank);
        for (slot, thread) in reading.copy.threads.iter().enumerate() {
            if thread.used != 1 {
                continue;
            }
            let note = rank.board.note(slot).ok();
            let frames = if thread.noted == 1 {
                note.map(|n| parse(text(&n).lines())).unwrap_or_default()
            } else {
                python
                    .get(&thread.pthread)
                    .map(|p| p.frames.clone())
                    .unwrap_or_default()
            };
            if let Some((error, at)) = python.get(&thread.pthread).and_then(|p| p.handling.clone())
            {
                let mut at = own_first(at);
                relative(&mut at);
                out.handling.insert((rank.rank, slot), (error, at));
            }
            let mut frames = own_first(frames);
            let in_call = thread.wait != wait::OUTSIDE;
            // The frames of an interpreter, or what it does when it ends, say nothing of the user's code.
            if reading.copy.header.python == 0 && (in_call || thread.noted == 2) {
                frames = native.frames(&Place {
                    pid: rank.pid,
                    registers: thread.registers,
                    kept: note.as_ref().map(|n| &n[..]).filter(|_| !in_call),
                });
                frames = program_first(frames);
            }
            relative(&mut frames);
            out.frames.insert((rank.rank, slot), frames);
        }
    }
    out
}

/// What the rank's helper has written of one thread.
#[derive(Debug, Default)]
struct Written {
    frames: Vec<Frame>,
    handling: Option<(String, Vec<Frame>)>,
}

/// What the rank's helper has written, by Python thread identifier.
fn python_stacks(rank: &Rank) -> HashMap<u64, Written> {
    let written = std::fs::read_to_string(rank.board.path().with_extension("stacks"));
    by_thread(&written.unwrap_or_default())
}

/// After `thread IDENT` its frames, then `handling ERROR` and the frames of that.
fn by_thread(written: &str) -> HashMap<u64, Written> {
    let mut out = HashMap::new();
    // At the beginnings of lines: anything may stand in names and messages.
    for part in written.split("\nthread ") {
        let part = part.strip_prefix("thread ").unwrap_or(part);
        let Some((ident, rest)) = part.split_once('\n') else {
            continue;
        };
        let Ok(ident) = ident.trim().parse() else {
            continue;
        };
        let (frames, handling) = match rest.split_once("\nhandling ") {
            Some((frames, handling)) => (frames, handling.split_once('\n')),
            None => (rest, None),
        };
        let handling = handling.map(|(error, at)| (error.to_owned(), parse(at.lines())));
        let frames = parse(frames.lines());
        out.insert(ident, Written { frames, handling });
    }
    out
}

/// Lines `line TAB function TAB file`.
pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Frame> {
    lines
        .filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            let number = fields.next()?.parse().ok()?;
            let function = fields.next()?;
            Some(Frame::at(fields.next()?, number, function))
        })
        .collect()
}

/// Drops library frames inside the innermost one of the user's own code (if there is one), and the interpreter's outermost.
pub fn own_first(mut frames: Vec<Frame>) -> Vec<Frame> {
    if let Some(first) = frames.iter().position(own) {
        frames.drain(..first);
    }
    while frames.len() > 1 && frames.last().is_some_and(|f| !own(f)) {
        frames.pop();
    }
    frames
}

/// The user's own Python code.
fn own(frame: &Frame) -> bool {
    frame
        .file
        .as_deref()
        .is_some_and(standoff_board::source::own_python)
}

/// Drops frames of libraries, those around the program and the system's inside it: what remains is what its programmers wrote,
/// and other libraries of which nothing is known.
fn program_first(mut frames: Vec<Frame>) -> Vec<Frame> {
    while frames.last().is_some_and(system) {
        frames.pop();
    }
    // A compiler's own `main` around the program: gfortran's, in the user's file, and Rust's, of which nothing is known.
    if let [.., inner, outer] = &frames[..]
        && outer.function.as_deref() == Some("main")
        && (fortran(outer) || (outer.file.is_none() && runtime(inner)))
    {
        frames.pop();
    }
    if frames.iter().any(own_native) {
        frames.retain(|f| !bundled(f));
    }
    if let Some(first) = frames.iter().position(|f| !system(f)) {
        frames.drain(..first);
    }
    frames
}

/// The user's own native code.
pub fn own_native(frame: &Frame) -> bool {
    !bundled(frame) && !system(frame)
}

/// The C library and what it starts a program with.
fn system(frame: &Frame) -> bool {
    frame
        .module
        .as_deref()
        .is_some_and(|m| m.starts_with("libc.so") || m.starts_with("ld-linux"))
        || matches!(frame.function.as_deref(), Some("_start"))
        || frame
            .file
            .as_deref()
            .is_some_and(|f| f.contains("/sysdeps/") || f.contains("/csu/") || f.contains("/nptl/"))
}

/// Code that came with the compiler, with a package or with MPI and was compiled into the program: headers, inline bindings,
/// crates.
fn bundled(frame: &Frame) -> bool {
    const INSTALLED: [&str; 2] = ["/usr/include/", "/usr/lib/"];
    const PARTS: [&str; 6] = [
        "/registry/src/",
        "/.cargo/git/checkouts/",
        "/rustc/",
        "/include/c++/",
        "/ompi/mpi/cxx/",
        "/mpicxx.h",
    ];
    frame.file.as_deref().is_some_and(|f| {
        INSTALLED.iter().any(|p| f.starts_with(p)) || PARTS.iter().any(|p| f.contains(p))
    })
}

fn fortran(frame: &Frame) -> bool {
    let suffix = frame.file.as_deref().and_then(|f| f.rsplit_once('.'));
    let suffix = suffix.map(|(_, suffix)| suffix.to_ascii_lowercase());
    matches!(
        suffix.as_deref(),
        Some("f" | "for" | "ftn" | "f90" | "f95" | "f03" | "f08")
    )
}

/// What stands between Rust's two functions `main`.
fn runtime(frame: &Frame) -> bool {
    let function = frame.function.as_deref();
    function.is_some_and(|f| f.starts_with("std::rt::lang_start") || f.starts_with("lang_start"))
}

/// Shows files below the working directory as the user names them.
pub fn relative(frames: &mut [Frame]) {
    let Ok(here) = std::env::current_dir() else {
        return;
    };
    for frame in frames {
        if let Some(file) = &frame.file
            && let Ok(short) = Path::new(file).strip_prefix(&here)
            && !short.as_os_str().is_empty()
        {
            frame.file = Some(short.to_string_lossy().into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, by_thread, program_first};

    #[test]
    fn threads_and_what_they_handle() {
        let text = "thread 7\n3\tinner thread 9\t/x/a.py\n9\t<module>\t/x/a.py\nhandling KeyError: 't'\n2\tget\t/x/b.py\nthread 8\n1\trun\t/x/c.py\n";
        let threads = by_thread(text);
        assert_eq!(threads.len(), 2);
        assert_eq!(threads[&7].frames.len(), 2);
        let (error, at) = threads[&7].handling.as_ref().unwrap();
        assert_eq!(
            (error.as_str(), &at[0]),
            ("KeyError: 't'", &Frame::at("/x/b.py", 2, "get"))
        );
        assert!(threads[&8].handling.is_none() && threads[&8].frames.len() == 1);
        assert!(by_thread("").is_empty());
    }

    fn at(file: &str, function: &str) -> Frame {
        Frame::at(file, 1, function)
    }

    fn functions(frames: Vec<Frame>) -> Vec<String> {
        let frames = program_first(frames);
        frames.into_iter().filter_map(|f| f.function).collect()
    }

    #[test]
    fn a_crate_and_the_standard_library_are_not_the_users() {
        let crates = "/home/u/.cargo/registry/src/index-1949cf8c6b5b557f/mpi-0.8.2/src";
        let std = "/rustc/0123abcd/library/std/src";
        let stack = vec![
            at(&format!("{crates}/raw.rs"), "mpi::with_uninitialized"),
            at(&format!("{crates}/point_to_point.rs"), "mpi::receive"),
            at("src/ring.rs", "ring::pass"),
            at(&format!("{std}/../../core/src/iter.rs"), "for_each"),
            at("src/main.rs", "ring::main"),
            at(&format!("{std}/rt.rs"), "std::rt::lang_start::{{closure}}"),
            at(&format!("{std}/rt.rs"), "std::rt::lang_start"),
            Frame {
                function: Some("main".to_owned()),
                module: Some("ring".to_owned()),
                ..Frame::default()
            },
        ];
        assert_eq!(functions(stack), ["ring::pass", "ring::main"]);
    }

    #[test]
    fn headers_and_bindings_in_them_are_not_the_users() {
        let stack = vec![
            at(
                "/opt/mpi/include/openmpi/ompi/mpi/cxx/comm_inln.h",
                "MPI::Comm::Recv",
            ),
            at("/usr/include/c++/12/bits/std_function.h", "invoke"),
            at("/home/u/halo.cpp", "exchange"),
            at("/home/u/halo.cpp", "main"),
        ];
        assert_eq!(functions(stack), ["exchange", "main"]);
        // Nothing but libraries: better than nothing.
        let stack = vec![at("/usr/include/boost/mpi.hpp", "recv")];
        assert_eq!(functions(stack), ["recv"]);
    }

    #[test]
    fn the_main_that_gfortran_adds_is_not_the_users() {
        let stack = vec![
            at("ring.F90", "pass"),
            at("ring.F90", "ring"),
            at("ring.F90", "main"),
        ];
        assert_eq!(functions(stack), ["pass", "ring"]);
        let stack = vec![at("ring.c", "pass"), at("ring.c", "main")];
        assert_eq!(functions(stack), ["pass", "main"]);
    }
}
