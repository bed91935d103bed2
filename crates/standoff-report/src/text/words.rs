//! Waits in words.

use super::group::{Group, Targets, place};
use crate::model::{AgentEntry, Cause, Op, RequestEntry, WaitKind};
use crate::ranks::{self, count};

/// `waits for a message from rank 5 with tag 3`, and with `here`: `waits here for …`.
pub(crate) fn wait(group: &Group<'_>, here: bool) -> String {
    let plural = group.names().plural();
    let mut text = verb(group).to_owned();
    if here {
        text.push_str(" here");
    }
    let targets = targets(group);
    let one = group.one();
    let their = if plural {
        "their message"
    } else {
        "its message"
    };
    match op(one) {
        Some(Op::Recv | Op::Probe) => text += &format!(" for a message from {targets}"),
        Some(Op::Send | Op::Ssend) => text += &format!(" for {targets} to receive {their}"),
        // The drawing beside says on which communicator.
        Some(Op::Collective) if here => return format!("{text} for {targets} to take part"),
        Some(Op::Collective) => {
            text += &format!(" for {targets} to take part");
            if own_comm(one.comm.as_deref()).is_some() {
                text.push(',');
            }
        }
        Some(Op::Finalize) => text += &format!(" for {targets} to finish too"),
        Some(Op::Wait) if one.requests.len() > 1 => {
            let needed = match one.wait {
                Some(WaitKind::Any) => "any of ".to_owned(),
                Some(WaitKind::KOfN) => format!("{} of ", one.wait_count.unwrap_or(1)),
                _ => String::new(),
            };
            let pending = count(one.requests.len(), "request");
            text += &format!(" for {needed}{pending}, which need {targets}");
        }
        _ => text += &format!(" for {targets}"),
    }
    // Tag 0 is what people mean who do not think of tags.
    let of_tags = group.reason().is_some_and(|reason| reason.contains("tag"));
    if let Some(tag) = one.tag.filter(|&tag| tag > 0 || tag == 0 && of_tags) {
        text += &format!(" with tag {tag}");
    }
    if let Some(comm) = own_comm(one.comm.as_deref()) {
        text += &format!(" on {comm}");
    }
    text
}

/// [`wait`] and its reason.
pub(crate) fn wait_and_reason(group: &Group<'_>) -> String {
    let mut text = wait(group, false);
    if let [request] = &group.one().requests[..]
        && let Some(frame) = &request.posted
        && group.members.len() == 1
    {
        text += &format!(", posted at {}", place(frame));
    }
    match group.reason() {
        Some(reason) => format!("{text}: {reason}"),
        None => text,
    }
}

/// `waits for rank 5`, for a row.
pub(crate) fn short_wait(group: &Group<'_>) -> String {
    let one = group.one();
    if group.left() {
        return state(one);
    }
    if one.wait.is_none() && one.op.is_none() {
        return String::new();
    }
    format!("{} for {}", verb(group), targets(group))
}

fn verb(group: &Group<'_>) -> &'static str {
    match group.targets {
        Targets::Offset(_) => "each wait",
        _ if group.names().plural() => "wait",
        _ => "waits",
    }
}

/// What an agent is that does not wait: `finished (in MPI_Finalize)`.
pub(crate) fn state(entry: &AgentEntry) -> String {
    match entry.state.as_deref() {
        Some(state) => state_as(entry, state),
        None if in_finalize(entry) => "is in MPI_Finalize".to_owned(),
        None if entry.op == Some(Op::Running) => "is not in MPI".to_owned(),
        None => "has left".to_owned(),
    }
}

/// [`state`], with these words for it.
pub(crate) fn state_as(entry: &AgentEntry, state: &str) -> String {
    if in_finalize(entry) && !state.contains("MPI_Finalize") {
        format!("{state} (in MPI_Finalize)")
    } else {
        state.to_owned()
    }
}

fn in_finalize(entry: &AgentEntry) -> bool {
    entry.call == "MPI_Finalize" || entry.op == Some(Op::Finalize)
}

/// `raised KeyError: 'steps' at app.py:9`.
pub(crate) fn cause(cause: &Cause) -> String {
    match cause.stack.first().map(place) {
        Some(place) if !place.is_empty() => placed(&cause.what, &format!("at {place}")),
        _ => cause.what.clone(),
    }
}

/// `called MPI_Send here, which failed: …`: a place stands behind what somebody did, before how that went.
fn placed(what: &str, place: &str) -> String {
    match what.split_once(", which ") {
        Some((did, went)) => format!("{did} {place}, which {went}"),
        None => format!("{what} {place}"),
    }
}

/// `raised KeyError: 'steps' here`, without how it went.
pub(crate) fn cause_here(cause: &Cause) -> String {
    let what = cause.what.lines().next().unwrap_or_default();
    format!("{} here", what.split(", which ").next().unwrap_or_default())
}

/// `rank 5`, `any of ranks 1–3`, `the rank before it`.
fn targets(group: &Group<'_>) -> String {
    let one = group.one();
    let names = match &group.targets {
        Targets::Same(names) => names,
        Targets::Various => return "others of them".to_owned(),
        Targets::Offset(by) => {
            let side = if *by < 0 { "before" } else { "after" };
            return match by.unsigned_abs() {
                1 => format!("the rank {side} it"),
                n => format!("the rank {n} {side} it"),
            };
        }
    };
    let list = ranks::agents(names.iter().copied());
    match one.wait {
        Some(WaitKind::Any) if list.count == 2 => format!("either of {}", list.text),
        Some(WaitKind::Any) if list.plural() => format!("any of {}", list.text),
        Some(WaitKind::KOfN) if list.plural() => {
            format!("{} of {}", one.wait_count.unwrap_or(1), list.text)
        }
        _ => list.text,
    }
}

/// Pending requests, a line each: `receive from rank 5, tag 3, posted at halo.c:31: nothing sent`.
pub(crate) fn requests(entry: &AgentEntry) -> Vec<String> {
    const MAX: usize = 6;
    let mut lines: Vec<String> = entry.requests.iter().take(MAX).map(request).collect();
    if entry.requests.len() > MAX {
        lines.push(format!("… {} more", entry.requests.len() - MAX));
    }
    lines
}

fn request(request: &RequestEntry) -> String {
    let (what, way) = match request.op {
        Some(Op::Recv | Op::Probe) => ("receive", "from"),
        Some(Op::Ssend) => ("synchronous send", "to"),
        Some(Op::Send) => ("send", "to"),
        Some(Op::Collective) => ("collective", "with"),
        _ => ("request", "for"),
    };
    let what = match request.call.as_deref() {
        Some(call) if request.op.is_none() || request.op == Some(Op::Collective) => call,
        _ => what,
    };
    let mut text = what.to_owned();
    if !request.waits_for.is_empty() {
        let list = ranks::agents(request.waits_for.iter().map(String::as_str));
        text += &format!(" {way} {}", list.text);
    } else if let Some(peer) = request.peer {
        text += &match peer {
            -1 => format!(" {way} any rank"),
            _ => format!(
                " {way} rank {peer} of {}",
                request.comm.as_deref().unwrap_or("its communicator")
            ),
        };
    }
    if let Some(tag) = request.tag.filter(|&tag| tag >= 0) {
        text += &format!(", tag {tag}");
    }
    if let Some(comm) = own_comm(request.comm.as_deref()) {
        text += &format!(", on {comm}");
    }
    if let Some(frame) = &request.posted {
        text += &format!(", posted at {}", place(frame));
    }
    if let Some(reason) = &request.reason {
        text += &format!(": {reason}");
    }
    text
}

/// A communicator worth naming.
fn own_comm(comm: Option<&str>) -> Option<&str> {
    comm.filter(|&name| name != "MPI_COMM_WORLD" && !name.is_empty())
}

/// The sort of operation, from the name of the procedure if the report does not say it.
pub(crate) fn op(entry: &AgentEntry) -> Option<Op> {
    if entry.op.is_some() {
        return entry.op.clone();
    }
    let name = entry.call.strip_prefix("MPI_")?.to_ascii_lowercase();
    let name = name.strip_suffix("_c").unwrap_or(&name);
    Some(match name {
        "recv" | "mrecv" => Op::Recv,
        "probe" | "mprobe" => Op::Probe,
        "send" | "rsend" | "bsend" => Op::Send,
        "ssend" => Op::Ssend,
        "sendrecv" | "sendrecv_replace" => Op::Sendrecv,
        "wait" | "waitall" | "waitany" | "waitsome" => Op::Wait,
        "finalize" => Op::Finalize,
        _ if [
            "barrier", "bcast", "gather", "scatter", "all", "reduce", "scan", "exscan",
        ]
        .iter()
        .any(|start| name.starts_with(start)) =>
        {
            Op::Collective
        }
        _ => return None,
    })
}
