//! The layout of a board, byte for byte. Any change here changes [`VERSION`].
//!
//! Every structure is plain data (`Pod`): any bit pattern is a value, so a reader can copy a foreign or torn
//! board and look at it without harm; [`crate::read`] checks what it uses.

pub mod collective;
mod operation;

pub use operation::{Envelope, Op, flag, op};

use crate::digest::Digest;
use bytemuck::{Pod, Zeroable};

/// First eight bytes of every board: "standoff" in ASCII.
pub const MAGIC: u64 = u64::from_le_bytes(*b"standoff");
/// Version of this layout; probe and monitor must agree exactly.
pub const VERSION: u32 = 12;
/// Environment variable with the path of the directory for recordings.
pub const RECORD_VAR: &str = "STANDOFF_RECORD";
/// Extension of the pipe beside a board that hangs up when the rank begins to end.
pub const LIFE: &str = "life";
/// Extension of an empty file beside a recording: there was no room for all of it.
pub const LOST: &str = "lost";
/// Environment variable with the path of the directory that says what to do in a forced run: a file for each rank.
pub const FORCE_VAR: &str = "STANDOFF_FORCE";
/// Environment variable with two world ranks, `FROM TO`, between which the size of buffered sends is to be measured.
pub const MEASURE_VAR: &str = "STANDOFF_MEASURE";
/// Environment variable for `--rescue`: `needed` or `always`, a blank, and how many bytes of copies a rank may keep.
pub const RESCUE_VAR: &str = "STANDOFF_RESCUE";
/// Environment variable for `--on-deadlock raise`: how many bytes of copies of sends a rank may keep.
pub const RAISE_VAR: &str = "STANDOFF_RAISE";
/// Extension of the file beside a board that says which calls are to return an error.
pub const RAISE_FILE: &str = "raise";
/// Environment variable with the path of the session directory.
pub const SESSION_VAR: &str = "STANDOFF_SESSION";

/// Threads of one rank that may call MPI.
pub const THREADS: usize = 64;
/// Live communicators of one rank.
pub const COMMS: usize = 512;
/// Channels in use at one time, for each direction.
pub const CHANNELS: usize = 1024;
/// Pending operations.
pub const OPS: usize = 8192;
/// World ranks in groups that are not strided, all communicators together.
pub const ARENA: usize = 65_536;
/// Collectives remembered for each communicator (a power of two).
pub const HISTORY: usize = 16;
/// Places from which a rank has called MPI (a power of two); calls from further ones have no place.
pub const PLACES: usize = 1024;
/// Bytes for the names in places of Python code.
pub const TEXT: usize = 48 * 1024;
/// Calls remembered for each thread (a power of two).
pub const RECENT: usize = 8;
/// Places of rescued sends; the last entry also counts those of further ones.
pub const RESCUED: usize = 32;
/// Stands for the place of a call that has none ([`Header::end_place`]).
pub const NOWHERE: u32 = u32::MAX;
/// Bytes of a thread's note (the Python stack taken at a call made with the interpreter lock held).
pub const NOTE: usize = 2048;

/// States of a rank ([`Header::state`]).
pub mod state {
    /// Between `MPI_Init` and `MPI_Finalize`.
    pub const RUNNING: u32 = 1;
    /// Has entered `MPI_Finalize`; no code of the user's will run in it.
    pub const FINALIZING: u32 = 2;
    /// Left `MPI_Finalize`.
    pub const FINALIZED: u32 = 3;
    /// In `MPI_Abort`.
    pub const ABORTING: u32 = 4;
}

/// What becomes of a recording ([`Header::recording`]).
pub mod recording {
    /// None was asked for.
    pub const NONE: u32 = 0;
    /// In progress.
    pub const ON: u32 = 1;
    /// It ended early: no room for more.
    pub const LOST: u32 = 2;
    /// It reaches to `MPI_Finalize`.
    pub const WHOLE: u32 = 3;
}

/// ABIs ([`Header::abi`]).
pub mod abi {
    /// MPICH, Intel MPI and relatives.
    pub const MPICH: u32 = 1;
    /// Open MPI.
    pub const OPENMPI: u32 = 2;
    /// The MPI-5 standard ABI.
    pub const STANDARD: u32 = 3;
}

/// Command words that the monitor writes ([`Header::command`]).
pub mod command {
    /// Write down the stacks of all threads: low byte of the command word; the rest is a serial number.
    pub const STACKS: u32 = 1;
    /// The standard sends in progress would wait for ever: let them return from their copies.
    pub const RESCUE: u32 = 2;
    /// All ranks are in `MPI_Finalize`: what has not been received never will be.
    pub const OVER: u32 = 3;
    /// Calls named in the file with [`super::RAISE_FILE`] are to end.
    pub const RAISE: u32 = 4;
    /// Calls that have ended so may return, with an error.
    pub const GO: u32 = 5;
    /// As [`RESCUE`], for sends that the program asks for again and again (`MPI_Test` and its kin).
    pub const RESCUE_POLLED: u32 = 6;
}

/// Head of a board. Fields that both sides touch while the job runs are accessed as atomics of their size.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`], written last when a board is made.
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// `size_of::<Board>()`.
    pub size: u32,
    /// Sequence lock: odd while the writer is changing the board. Grows with every change that matters to the analysis; fruitless polls don't count.
    pub epoch: u64,
    /// Groups the ranks of one job: equal for all ranks of one `MPI_COMM_WORLD` and different for others.
    pub world_key: u64,
    /// Process id.
    pub pid: u32,
    /// Rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// Size of `MPI_COMM_WORLD`.
    pub world_size: u32,
    /// One of [`abi`].
    pub abi: u32,
    /// Provided thread level, 0 (single) to 3 (multiple), whatever numbers the library uses.
    pub thread_level: u32,
    /// One of [`state`].
    pub state: u32,
    /// Non-zero: the rank may act for ever; [`Header::taint_why`] says why.
    pub taint: u32,
    /// 1 + exit status, written when the process leaves through exit(); 0: has not.
    pub exit: u32,
    /// Threads started by user code, alive, that have not called MPI.
    pub other_threads: u32,
    /// All threads that the probe saw start and not end; without the main thread.
    pub seen_threads: u32,
    /// Index of the place of the call that ends the rank: of `MPI_Abort`, or of one that has failed ([`Header::left`]), then [`NOWHERE`] if it is not
    /// known; 0: none.
    pub end_place: u32,
    /// The probe knows the process as a Python interpreter.
    pub python: u32,
    /// Written by the monitor (futex): what to do.
    pub command: u32,
    /// Written by the probe: the last command that is done.
    pub done: u32,
    /// Highest index used so far + 1, of each table.
    pub threads_used: u32,
    /// As above.
    pub comms_used: u32,
    /// As above.
    pub sent_used: u32,
    /// As above.
    pub received_used: u32,
    /// As above.
    pub ops_used: u32,
    /// Bytes of text in use.
    pub text_used: u32,
    /// One of [`recording`].
    pub recording: u32,
    /// Argument of `MPI_Abort`.
    pub abort_code: i32,
    /// Why the rank is tainted, NUL-terminated.
    pub taint_why: [u8; 64],
    /// `MPI_Get_library_version`, its first line, NUL-terminated.
    pub library: [u8; 128],
    /// Uncaught Python exception: "KeyError: 'steps'", more lines of its message with a tab before each, its stack as in a note;
    /// NUL-terminated.
    pub raised: [u8; NOTE],
    /// How a Python program ended itself ("called sys.exit(3)"), NUL-terminated, then its stack as in a note. Or a call of MPI that has
    /// failed ("called MPI_Send, which failed: …"), as `raised`, without a stack: that of [`Header::end_place`].
    pub left: [u8; NOTE],
    /// The first exception that ended a Python thread other than the main one, as `raised`.
    pub thread_raised: [u8; NOTE],
}

/// How a thread waits ([`Thread::wait`]).
pub mod wait {
    /// Outside MPI.
    pub const OUTSIDE: u32 = 0;
    /// In a call that the model does not follow: may act.
    pub const OPAQUE: u32 = 1;
    /// For all of its operations.
    pub const ALL: u32 = 2;
    /// For any of its operations.
    pub const ANY: u32 = 3;
    /// In `MPI_Finalize`.
    pub const FINALIZE: u32 = 4;
}

/// A thread that has called MPI.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Thread {
    /// 0: free slot, 1: live, 2: has exited.
    pub used: u32,
    /// Kernel thread id.
    pub tid: u32,
    /// `pthread_self`, which is also Python's thread identifier.
    pub pthread: u64,
    /// One of [`wait`].
    pub wait: u32,
    /// Index of the function (see the function table), valid unless outside.
    pub function: u32,
    /// Requests in the call that the probe doesn't know.
    pub unknown: u32,
    /// How many of `inline` are in use.
    pub inline_used: u32,
    /// Registers in the wrapper, from which the stack above can be unwound: rip, rsp, rbp.
    pub registers: [u64; 3],
    /// 1: the thread's note holds the Python stack of the call in progress, 0: no.
    pub noted: u32,
    /// What was polled since `poll_round` changed, and how (see [`poll`]).
    pub poll_kind: u32,
    /// Fruitless polls so far.
    pub polls: u64,
    /// Changes when the thread does anything in MPI but a fruitless poll. Never the same for two threads.
    pub poll_round: u64,
    /// Operations of blocking calls (a sendrecv has two), or the last probe polled for.
    pub inline: [Op; 2],
    /// Calls so far, polls not counted; a blocking send counts when it returns.
    pub calls: u64,
    /// Ring of the last calls, by number modulo [`RECENT`].
    pub recent: [Recent; RECENT],
}

/// A call that a thread has made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Recent {
    /// Index of the function.
    pub function: u16,
    /// Index of the place it was called from; 0: not known.
    pub place: u16,
    /// 1 + index of the communicator; 0: none, or unknown.
    pub comm: u16,
    /// Unused.
    pub pad: u16,
    /// Peer, [`ANY`], or root.
    pub peer: i32,
    /// Tag or [`ANY`].
    pub tag: i32,
}

impl Recent {
    /// Put together from whole words, which costs the writer two stores instead of six.
    #[must_use]
    #[inline(always)]
    pub fn of(function: u32, place: u32, to: Envelope) -> Recent {
        let head = u64::from(function as u16)
            | u64::from(place as u16) << 16
            | u64::from(to.comm as u16) << 32;
        bytemuck::cast([head, pair(to.peer as u32, to.tag as u32)])
    }
}

/// Two neighbouring fields as they lie in memory.
#[inline(always)]
fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}

/// A place from which MPI was called, and how often. Entry 0 stays free: it stands for "not known".
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Place {
    /// Native code: the address that the call returns to. Python: a hash of function, file, name and line. 0: free entry.
    pub key: u64,
    /// Calls begun here.
    pub count: u64,
    /// Index of the function that is called here.
    pub function: u32,
    /// Line of Python code; 0: native code.
    pub line: u32,
    /// Offset of the function's name in the text, NUL-terminated there.
    pub name: u32,
    /// Offset of the file's name.
    pub file: u32,
}

/// Sends that returned from a copy, by the place that they were called from.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Rescued {
    /// How many; 0: free entry.
    pub count: u64,
    /// Those of them that the monitor asked for.
    pub asked: u64,
    /// Bytes of the largest.
    pub bytes: u64,
    /// Index of the place.
    pub place: u32,
    /// Destination of the last one, as in the call.
    pub peer: i32,
}

/// What a thread polls ([`Thread::poll_kind`]).
pub mod poll {
    /// Requests (Test*): operations whose `polled` is the thread's round.
    pub const REQUESTS: u32 = 1;
    /// Iprobe or Improbe, with arguments in `inline[0]`.
    pub const PROBE: u32 = 2;
    /// More than can be followed.
    pub const UNKNOWN: u32 = 4;
    /// Each poll was one for all of the same requests (Test, Testall), so one of them that could complete ends nothing.
    pub const EACH: u32 = 8;
}

/// Wildcard source or tag on the board, whatever the ABI.
pub const ANY: i32 = -1;
/// `root` values on the board besides ranks: no root, `MPI_ROOT`, `MPI_PROC_NULL`.
pub mod root {
    /// The operation has none.
    pub const NONE: i32 = -1;
    /// `MPI_ROOT`.
    pub const ME: i32 = -2;
    /// `MPI_PROC_NULL`.
    pub const NULL: i32 = -3;
}

/// A group of ranks.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Group {
    /// Number of ranks; 0: no group.
    pub len: u32,
    /// World rank of rank 0; or offset in the arena.
    pub first: u32,
    /// Stride; or [`Group::LISTED`], [`Group::UNKNOWN`].
    pub stride: i32,
}

impl Group {
    /// `first` is an offset in the arena.
    pub const LISTED: i32 = i32::MIN;
    /// Members are not known.
    pub const UNKNOWN: i32 = i32::MIN + 1;
}

/// A collective that was begun.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Begun {
    /// 1 + its number on the communicator; 0: none.
    pub seq1: u64,
    /// Root.
    pub root: i32,
    /// [`collective`] number.
    pub collective: u8,
    /// 1: blocking.
    pub blocking: u8,
    /// Index of the place where it was called; 0: not known.
    pub place: u16,
    /// What the rank gives or gets, in bytes (the lower half of a longer number).
    pub bytes: u32,
    /// What its elements are, as in recordings; 0: not known.
    pub basic: u8,
    /// Which predefined reduction, as in recordings; 0: none, or one of the program's own.
    pub reduction: u8,
    /// 1: the two above and the size were looked at, after the call had succeeded (of a nonblocking one: begun).
    pub looked_at: u8,
    /// Unused.
    pub pad: u8,
}

/// Adds a collective to what is folded of those before it. `root` is one of [`root`] or a rank; of an intercommunicator, where it
/// differs from side to side, [`root::NONE`].
#[must_use]
#[inline(always)]
pub fn fold(before: u64, collective: u8, blocking: bool, root: i32) -> u64 {
    let call = u64::from(collective) | u64::from(blocking) << 8 | u64::from(root as u32) << 16;
    // A step of a polynomial hash; the multiplier is splitmix64's.
    (before ^ call)
        .wrapping_add(1)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        .rotate_left(29)
}

/// A communicator.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Comm {
    /// Identity, equal on all members; 0: free entry.
    pub id: u64,
    /// Collectives begun.
    pub collectives: u64,
    /// All of them in order, folded ([`fold`]): equal on all members whose calls agree.
    pub folded: u64,
    /// The sizes and reductions that were looked at, in order, folded: equal on all members whose calls agree, if `unclear` is 0 on all.
    pub agreed: u64,
    /// Collectives of which members may rightly differ in what they say of size or reduction.
    pub unclear: u64,
    /// Communicators created from it.
    pub children: u64,
    /// This process's rank in it.
    pub rank: u32,
    /// 1: intercommunicator.
    pub inter: u32,
    /// 1: freed by this rank; the entry stays while there is room, since others may still receive what was sent on it.
    pub freed: u32,
    /// 1: mpi4py made it for itself, for its lower-case reductions.
    pub private: u32,
    /// Local group.
    pub group: Group,
    /// Remote group.
    pub remote: Group,
    /// In-neighbours: number and offset in the arena (`u32::MAX`: unknown).
    pub sources: [u32; 2],
    /// Out-neighbours.
    pub destinations: [u32; 2],
    /// Name, NUL-terminated.
    pub name: [u8; 48],
    /// Ring of the last collectives, by number modulo [`HISTORY`].
    pub history: [Begun; HISTORY],
}

/// One end of a channel.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Channel {
    /// 1 + index of the communicator; 0: free entry.
    pub comm: u32,
    /// The other rank (of the remote group for an intercommunicator).
    pub peer: u32,
    /// 1: counting was lost, anything may be in flight.
    pub unknown: u32,
    /// Tag of the last message.
    pub tag: i32,
    /// Messages that passed this end.
    pub total: u64,
    /// Index of the place where the last one was sent or received; 0: not known.
    pub place: u32,
    /// Unused.
    pub pad: u32,
    /// Those of them that are in `digest`; all later ones had `tag`. So a row of messages with one tag costs no more than counting.
    pub digested: u64,
    /// Tags of the first `digested` messages.
    pub digest: Digest,
}

impl Channel {
    /// Counts a message.
    #[inline(always)]
    pub fn add(&mut self, tag: i32) {
        if tag != self.tag {
            self.turn_to(tag);
        }
        self.total += 1;
    }

    #[inline(never)]
    fn turn_to(&mut self, tag: i32) {
        self.digest
            .add(self.tag, self.total.wrapping_sub(self.digested));
        self.digested = self.total;
        self.tag = tag;
    }

    /// The tags of all messages that passed.
    #[must_use]
    pub fn all_tags(&self) -> Digest {
        let mut digest = self.digest;
        digest.add(self.tag, self.total.wrapping_sub(self.digested));
        digest
    }
}

/// The whole board.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Board {
    /// Head.
    pub header: Header,
    /// Threads.
    pub threads: [Thread; THREADS],
    /// Notes of the threads: lines `line TAB function TAB file`, innermost first, NUL-terminated.
    pub notes: [[u8; NOTE]; THREADS],
    /// Communicators.
    pub comms: [Comm; COMMS],
    /// Messages sent.
    pub sent: [Channel; CHANNELS],
    /// Messages received.
    pub received: [Channel; CHANNELS],
    /// Pending operations.
    pub ops: [Op; OPS],
    /// World ranks of groups.
    pub arena: [u32; ARENA],
    /// Places, a hash table.
    pub places: [Place; PLACES],
    /// Their names.
    pub text: [u8; TEXT],
    /// Sends that were rescued.
    pub rescued: [Rescued; RESCUED],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_at_most_two_mebibytes() {
        let size = std::mem::size_of::<Board>();
        assert!(size <= 2 << 20, "{size}");
    }
}
