//! The report as data: schema `standoff-report/1`.
//!
//! The field names are a contract with whoever reads the JSON. Fields may be added (optional, with a default);
//! none is renamed or removed within version 1. Unknown fields are ignored when reading, and so are unknown values of
//! the open enumerations ([`FindingKind`], [`Op`]), which keep them as text.
//!
//! Everything is a list or a scalar in the order given by whoever made the report, so that equal reports are equal
//! bytes.

use serde::{Deserialize, Serialize};

/// Name and version of the schema.
pub const SCHEMA: &str = "standoff-report/1";

/// One run (or one check) of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`]; checked by [`json::read`](crate::json::read).
    pub schema: String,
    /// Version of the standoff that wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standoff: Option<String>,
    /// The outcome.
    pub verdict: Verdict,
    /// What the verdict speaks about.
    #[serde(default)]
    pub scope: Scope,
    /// The bound, in words, if `scope` is [`Scope::Bounded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// Number of MPI ranks (of all worlds together).
    #[serde(default)]
    pub ranks: u32,
    /// The MPI library, if one was seen.
    #[serde(default)]
    pub mpi: Option<MpiInfo>,
    /// How the program, or its launcher, ended.
    #[serde(default)]
    pub exit: Exit,
    /// From the last progress of any agent in the first finding's set to the verdict.
    #[serde(default)]
    pub detected_after_ms: Option<u64>,
    /// From the start of the program to the end of the watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// What was run, as words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The directory in which it was run: names of source files that are relative start there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// What was found, worst first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Things said once, mostly what could not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    /// A report without findings.
    pub fn new(verdict: Verdict, scope: Scope, ranks: u32) -> Self {
        Report {
            schema: SCHEMA.to_owned(),
            standoff: None,
            verdict,
            scope,
            bound: None,
            ranks,
            mpi: None,
            exit: Exit::default(),
            detected_after_ms: None,
            elapsed_ms: None,
            command: Vec::new(),
            directory: None,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// The outcome of a run or check. What each promises stands in the user guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A set of agents, each blocked, none of which any agent outside the set can release.
    Deadlock,
    /// An agent has long done only fruitless polls on operations that nobody can complete (a heuristic).
    Stalled,
    /// An execution that MPI allows and this run did not take would deadlock.
    PotentialDeadlock,
    /// Nothing wrong within the scope.
    Clean,
    /// The program crashed, or was ended by its launcher or by a timeout.
    Failed,
}

/// What a verdict speaks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The one execution that was watched.
    #[default]
    ThisRun,
    /// Every execution that MPI allows for this input.
    AllExecutions,
    /// Some executions, up to [`Report::bound`].
    Bounded,
}

/// Which MPI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MpiInfo {
    /// First line of `MPI_Get_library_version`, or the file name of the library.
    pub library: String,
    /// Its binary interface.
    pub abi: Abi,
}

/// Binary interface of an MPI library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Abi {
    /// MPICH and its family (Intel MPI, Cray MPICH, MVAPICH).
    Mpich,
    /// Open MPI.
    Openmpi,
    /// The standard ABI of MPI 5.
    Standard,
}

/// How the job ended. Neither code nor signal: not known, or it still ran when the report was written (under `--no-kill`, in a
/// `dump`, and in what is written of a hang before the job is ended).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exit {
    /// Exit status.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// standoff had ended it, so that neither is the program's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_standoff: bool,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Whether it makes the verdict.
    #[serde(default)]
    pub severity: Severity,
    /// Seen on the real program (always true for `run`).
    #[serde(default)]
    pub confirmed: bool,
    /// The agents that hold each other, and an ended agent they wait for. For a timeout: all agents.
    #[serde(default)]
    pub core: Vec<AgentEntry>,
    /// Agents stuck behind the core.
    #[serde(default)]
    pub victims: Vec<AgentEntry>,
    /// Why a partner is missing.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// One short cycle in the core: agent names in the order of waiting (each waits for the next, the last for the
    /// first). Empty: there is none, as behind an ended agent, or the reader finds one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycle: Vec<String>,
    /// For a finding with may-waits: what is assumed of this MPI, as a sentence. The text then says 'on this MPI'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumption: Option<String>,
    /// For calls that do not fit together: one line for each side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatch: Vec<String>,
    /// For a finding of `check`: what happens, as a sentence without its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// For a finding of `check`: how it comes about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Further choices, which are in the witness only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_left_out: u32,
    /// One paragraph a tired person understands.
    #[serde(default)]
    pub explanation: String,
    /// What to change, one sentence or two each, best first.
    #[serde(default)]
    pub advice: Vec<String>,
    /// File with a schedule that leads here.
    #[serde(default)]
    pub witness: Option<String>,
}

impl Finding {
    /// A confirmed finding of this kind with nothing in it; its severity is the kind's usual one.
    pub fn new(kind: FindingKind) -> Self {
        Finding {
            severity: kind.usual_severity(),
            kind,
            confirmed: true,
            core: Vec::new(),
            victims: Vec::new(),
            causes: Vec::new(),
            cycle: Vec::new(),
            assumption: None,
            mismatch: Vec::new(),
            summary: None,
            steps: Vec::new(),
            steps_left_out: 0,
            explanation: String::new(),
            advice: Vec::new(),
            witness: None,
        }
    }
}

/// A step of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Who: `rank 0`, `ranks 1 and 5`.
    pub agents: String,
    /// File and line; empty if that is not known.
    pub place: String,
    /// What happens there.
    pub what: String,
}

/// Kinds of findings (open: later versions add some).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// See [`Verdict::Deadlock`].
    Deadlock,
    /// See [`Verdict::PotentialDeadlock`].
    PotentialDeadlock,
    /// See [`Verdict::Stalled`].
    Stalled,
    /// Collective calls that do not belong together.
    CollectiveMismatch,
    /// A message whose type or size differs from what the receiver said.
    MessageMismatch,
    /// A message that nobody received.
    UnreceivedMessage,
    /// A request that was never completed.
    RequestLeak,
    /// Communicators, datatypes, … that grow without being freed.
    ResourceLeak,
    /// A send that passed only because the library buffered it.
    UnsafeSend,
    /// A blocked send that standoff let go on.
    RescuedSend,
    /// A rank crashed.
    Crash,
    /// `--timeout` was reached; `core` lists what every agent was doing.
    Timeout,
    /// What every agent is doing while the job runs; `core` lists it. Nothing is wrong.
    Snapshot,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl FindingKind {
    /// Error for what ends or hangs the job, warning for the rest.
    pub fn usual_severity(&self) -> Severity {
        match self {
            FindingKind::Deadlock
            | FindingKind::PotentialDeadlock
            | FindingKind::Stalled
            | FindingKind::Crash
            | FindingKind::Timeout => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

/// Whether a finding makes the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    #[default]
    Error,
    /// Wrong, but did not hang this time.
    Warning,
}

/// One agent and what it waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentEntry {
    /// Its name, unique in the report and the same wherever it is named: `rank 1`, or `rank 1 thread 2`
    /// (for spawned jobs `world 1 rank 0`).
    pub agent: String,
    /// Rank in `MPI_COMM_WORLD` of job `world`.
    pub rank: u32,
    /// Number of the thread in its rank, if more than one thread can communicate.
    pub thread: Option<u32>,
    /// Number of the job (0: the first).
    pub world: u32,
    /// The MPI procedure it is in. Empty for an agent that left.
    pub call: String,
    /// What the user wrote: `comm.recv`, or with arguments `comm.recv(source=5)`.
    pub user_call: Option<String>,
    /// Name of the communicator.
    pub comm: Option<String>,
    /// Rank of the partner (or root) in `comm`; -1: any.
    pub peer: Option<i32>,
    /// Message tag; -1: any.
    pub tag: Option<i32>,
    /// How many of `waits_for` it needs. `None` for an agent that left or does not wait.
    pub wait: Option<WaitKind>,
    /// For [`WaitKind::KOfN`]: k.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_count: Option<u32>,
    /// Where it is, innermost frame of the user's own code first.
    pub stack: Vec<Frame>,
    /// Names of the agents it waits for.
    pub waits_for: Vec<String>,
    /// What sort of operation it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// Why nothing releases it, a short phrase: `nothing sent; rank 5 did send tag 7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For an agent that left, or is not waiting, what it is: `finished`, `raised KeyError: 'steps'`, `was killed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// For a wait on requests: those not yet complete.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestEntry>,
    /// Its last communication calls, newest first; the first is the one it is in, if it is in one. Polls are not among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallEntry>,
}

/// A communication call that an agent has made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallEntry {
    /// The MPI procedure.
    pub call: String,
    /// What the user wrote, as [`AgentEntry::user_call`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_call: Option<String>,
    /// Name of the communicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comm: Option<String>,
    /// Rank of the partner (or root) in `comm`; -1: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<i32>,
    /// Message tag; -1: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<i32>,
    /// Where it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Frame>,
    /// How often this procedure was called from there so far, by all threads of the rank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// A pending request in a wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestEntry {
    /// What sort of operation it is.
    pub op: Option<Op>,
    /// The MPI procedure that posted it.
    pub call: Option<String>,
    /// Name of the communicator.
    pub comm: Option<String>,
    /// Rank of the partner (or root) in `comm`; -1: any.
    pub peer: Option<i32>,
    /// Message tag; -1: any.
    pub tag: Option<i32>,
    /// Names of the agents it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// Where it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted: Option<Frame>,
    /// Why nothing completes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Sorts of operations (open: later versions add some).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A receive.
    Recv,
    /// A standard, ready or buffered send.
    Send,
    /// A synchronous send.
    Ssend,
    /// A probe.
    Probe,
    /// A send and a receive in one call.
    Sendrecv,
    /// A collective.
    Collective,
    /// A wait on requests.
    Wait,
    /// `MPI_Finalize`.
    Finalize,
    /// Left for good.
    Ended,
    /// Not in MPI.
    Running,
    /// Another, by name.
    #[serde(untagged)]
    Other(String),
}

/// How many of its targets a wait needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitKind {
    /// Every one.
    All,
    /// One.
    Any,
    /// [`AgentEntry::wait_count`] of them.
    KOfN,
}

/// One stack frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// Source file, as the program names it. `None` without debug information.
    pub file: Option<String>,
    /// Line in it, from 1.
    pub line: Option<u32>,
    /// Function, as the language writes it (`<module>` at a Python file's top).
    pub function: Option<String>,
    /// For a native frame without debug information: file name of the program or library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// And the offset in `function`, or in `module` if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What would make this frame say more: `compile with -g to see the line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Frame {
    /// A frame with a place in a source file.
    pub fn at(file: impl Into<String>, line: u32, function: impl Into<String>) -> Self {
        Frame {
            file: Some(file.into()),
            line: Some(line),
            function: Some(function.into()),
            ..Frame::default()
        }
    }
}

/// Why an agent is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// Rank in `MPI_COMM_WORLD` of job `world`.
    pub rank: u32,
    /// Number of the job (0: the first).
    #[serde(skip_serializing_if = "is_zero")]
    pub world: u32,
    /// What it did, so that `rank 0` and this make a sentence: `raised KeyError: 'steps'`, `finished`.
    pub what: String,
    /// Where, innermost frame of the user's own code first.
    pub stack: Vec<Frame>,
    /// For an exception, what Python calls its traceback: all frames, innermost last, and the exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<Traceback>,
}

/// An exception and the way it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Traceback {
    /// As Python names it: `KeyError: 'steps'`; all lines of its message, a long one cut in the middle.
    pub error: String,
    /// Innermost last.
    pub frames: Vec<Frame>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(n: &u32) -> bool {
    *n == 0
}
