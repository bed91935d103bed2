//! What `overhead` measures, and within which bounds.

/// What a rank may need more: 2 MB, in KiB.
const MEMORY: f64 = 2_000_000.0 / 1024.0;

/// What is compared, and what it may be.
#[derive(Clone, Copy)]
pub enum Bound {
    /// With standoff by without it.
    Ratio(f64),
    /// With standoff less without it.
    Added(f64),
}

/// A program that is run with standoff and without.
pub struct Row {
    pub name: &'static str,
    pub file: &'static str,
    pub args: &'static [&'static str],
    pub ranks: u32,
    /// Of the numbers that the program prints.
    pub unit: &'static str,
    pub bound: Bound,
    /// The product's bound; else only a figure to watch.
    pub promised: bool,
    /// What standoff does besides watching: a variable of the environment, or an option of `run`.
    pub option: Option<&'static str>,
}

/// As `check` does: every event is written down.
pub const RECORDED: &str = "recorded";
/// Sends go through copies.
const RESCUE: &str = "--rescue";

pub const ROWS: [Row; 16] = [
    Row {
        name: "ping-pong 8 B, C",
        file: "ping_pong.c",
        args: &[],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(1.05),
        promised: true,
        option: None,
    },
    Row {
        name: "ping-pong 8 B, mpi4py Send/Recv",
        file: "ping_pong.py",
        args: &["array"],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(1.05),
        promised: true,
        option: None,
    },
    Row {
        name: "ping-pong 8 B, mpi4py send/recv",
        file: "ping_pong.py",
        args: &["object"],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(1.05),
        promised: true,
        option: None,
    },
    Row {
        name: "a call: Send to PROC_NULL, C",
        file: "null_send.c",
        args: &[],
        ranks: 1,
        unit: "ns",
        bound: Bound::Added(30.0),
        promised: true,
        option: None,
    },
    Row {
        name: "a call: Irecv, Send, Wait to oneself, C",
        file: "self_message.c",
        args: &[],
        ranks: 1,
        unit: "ns",
        bound: Bound::Added(30.0),
        promised: false,
        option: None,
    },
    Row {
        name: "message rate, windows of 64, C",
        file: "message_rate.c",
        args: &[],
        ranks: 2,
        unit: "ns",
        bound: Bound::Added(30.0),
        promised: false,
        option: None,
    },
    Row {
        name: "application: Jacobi, C",
        file: "jacobi.c",
        args: &[],
        ranks: 2,
        unit: "us",
        bound: Bound::Ratio(1.01),
        promised: true,
        option: None,
    },
    Row {
        name: "memory of a rank after MPI_Init",
        file: "memory.c",
        args: &["start"],
        ranks: 2,
        unit: "KiB",
        bound: Bound::Added(MEMORY),
        promised: true,
        option: None,
    },
    Row {
        name: "memory of a rank after 200,000 tags",
        file: "memory.c",
        args: &["tags"],
        ranks: 2,
        unit: "KiB",
        bound: Bound::Added(MEMORY),
        promised: true,
        option: None,
    },
    Row {
        name: "memory of a rank after 5,000 comms",
        file: "memory.c",
        args: &["comms"],
        ranks: 2,
        unit: "KiB",
        bound: Bound::Added(MEMORY),
        promised: true,
        option: None,
    },
    Row {
        name: "recorded: ping-pong, mpi4py Send/Recv",
        file: "ping_pong.py",
        args: &["array"],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(1.10),
        promised: true,
        option: Some(RECORDED),
    },
    Row {
        name: "recorded: ping-pong, mpi4py send/recv",
        file: "ping_pong.py",
        args: &["object"],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(1.10),
        promised: true,
        option: Some(RECORDED),
    },
    Row {
        name: "recorded: Irecv, Send, Wait to oneself, a call",
        file: "self_message.c",
        args: &[],
        ranks: 1,
        unit: "ns",
        bound: Bound::Added(100.0),
        promised: true,
        option: Some(RECORDED),
    },
    Row {
        name: "--rescue: ping-pong 8 B, C",
        file: "ping_pong.c",
        args: &[],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(2.0),
        promised: false,
        option: Some(RESCUE),
    },
    Row {
        name: "--rescue: ping-pong, mpi4py send/recv",
        file: "ping_pong.py",
        args: &["object"],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(2.0),
        promised: false,
        option: Some(RESCUE),
    },
    Row {
        name: "--rescue: windows of 64, C, a message",
        file: "message_rate.c",
        args: &[],
        ranks: 2,
        unit: "ns",
        bound: Bound::Ratio(2.0),
        promised: false,
        option: Some(RESCUE),
    },
];

/// From the last progress of a ring of receives to the first line of the diagnosis.
pub struct Detection {
    pub name: &'static str,
    pub file: &'static str,
    pub ranks: u32,
    pub runs: usize,
}

/// Bound of the detection at every size, in milliseconds.
pub const DETECTION_MS: f64 = 500.0;

pub const DETECTIONS: [Detection; 6] = [
    Detection {
        name: "detection, 4 ranks, C",
        file: "ring.c",
        ranks: 4,
        runs: 5,
    },
    Detection {
        name: "detection, 16 ranks, C",
        file: "ring.c",
        ranks: 16,
        runs: 5,
    },
    Detection {
        name: "detection, 64 ranks, C",
        file: "ring.c",
        ranks: 64,
        runs: 3,
    },
    Detection {
        name: "detection, 4 ranks, mpi4py",
        file: "ring.py",
        ranks: 4,
        runs: 5,
    },
    Detection {
        name: "detection, 16 ranks, mpi4py",
        file: "ring.py",
        ranks: 16,
        runs: 5,
    },
    Detection {
        name: "detection, 64 ranks, mpi4py",
        file: "ring.py",
        ranks: 64,
        runs: 3,
    },
];
