//! What the user wrote for an MPI call: methods of mpi4py and of rsmpi (the crate `mpi`), found in the source line.

use standoff_mpi::Spelling;
use standoff_report::AgentEntry;

/// The language of those who wait, as far as their innermost frames tell; of several the first.
pub fn spelling(core: &[AgentEntry]) -> Spelling {
    let known = |entry: &AgentEntry| {
        let file = entry.stack.first()?.file.as_deref()?;
        // `-c CODE` and the interactive interpreter are files called `<string>` and `<stdin>`.
        if file.ends_with(".py") || file.starts_with('<') {
            Some(Spelling::Objects)
        } else {
            Some(match file.ends_with(".rs") {
                true => Spelling::Rust,
                false => Spelling::Native,
            })
        }
    };
    let found = core.iter().find_map(known).unwrap_or(Spelling::Native);
    let methods = core.iter().filter_map(|entry| entry.user_call.as_deref());
    let mut methods = methods.filter_map(|call| call.split('(').next()?.rsplit('.').next());
    let upper = |method: &str| method.starts_with(|c: char| c.is_ascii_uppercase());
    match found {
        Spelling::Objects => match methods.next().is_some_and(upper) && methods.all(upper) {
            true => Spelling::Buffers,
            false => Spelling::Objects,
        },
        other => other,
    }
}

/// The call as it stands in a Python source line, e.g. `comm.recv`, for the MPI procedure that it led to.
///
/// The line may hold several calls; the one that mpi4py can have turned into `function` is taken, those that map
/// directly before those that use it on the way. `None` if there is none (a call through a helper, or over several lines).
pub fn user_call(function: &str, line: &str) -> Option<String> {
    let calls = method_calls(line);
    methods(function)
        .find_map(|m| calls.iter().find(|(_, name)| *name == m))
        .map(|(whole, _)| (*whole).to_owned())
}

/// As [`user_call`], in a line of Rust: `left.receive` of `let (got, _) = left.receive::<f64>();`.
pub fn rust_call(function: &str, line: &str) -> Option<String> {
    let code = line.split("//").next().unwrap_or(line);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    rust_methods(function).iter().find_map(|stem| {
        code.match_indices(stem).find_map(|(start, _)| {
            let end = start + code[start..].find(|c| !word(c))?;
            let whole = matches!(
                code[start + stem.len()..end].chars().next(),
                None | Some('_')
            );
            let called = code[end..].starts_with('(') || code[end..].starts_with("::<");
            let inside = code[..start].chars().next_back().is_some_and(word);
            if !whole || !called || inside {
                return None;
            }
            let from = receiver(code.as_bytes(), start);
            let call = code.get(from..end)?.trim_start_matches(['.', ':']);
            Some(call.to_owned())
        })
    })
}

/// rsmpi's methods and functions that call an MPI procedure, without the endings (`_into`, `_with_tag`, `_root`, …).
fn rust_methods(function: &str) -> &'static [&'static str] {
    match function.strip_prefix("MPI_").unwrap_or(function) {
        "Send" => &["send"],
        "Ssend" => &["synchronous_send"],
        "Bsend" => &["buffered_send"],
        "Rsend" => &["ready_send"],
        "Recv" => &["receive"],
        "Mprobe" | "Mrecv" => &["receive", "matched_probe", "matched_receive"],
        "Probe" => &["probe"],
        "Sendrecv" | "Sendrecv_replace" => &["send_receive"],
        "Wait" => &["wait"],
        "Waitall" => &["wait_all"],
        "Waitany" => &["wait_any"],
        "Waitsome" => &["wait_some"],
        "Test" => &["test"],
        "Barrier" => &["barrier"],
        "Bcast" => &["broadcast"],
        "Gather" | "Gatherv" => &["gather"],
        "Scatter" | "Scatterv" => &["scatter"],
        "Allgather" | "Allgatherv" => &["all_gather"],
        "Alltoall" | "Alltoallv" | "Alltoallw" => &["all_to_all"],
        "Reduce" => &["reduce"],
        "Allreduce" => &["all_reduce"],
        "Reduce_scatter_block" => &["reduce_scatter_block"],
        "Scan" => &["scan"],
        "Exscan" => &["exclusive_scan"],
        "Comm_dup" => &["duplicate"],
        "Comm_split" => &["split_by_color"],
        "Comm_create" | "Comm_create_group" => &["split_by_subgroup"],
        "Intercomm_merge" => &["merge"],
        _ => &[],
    }
}

/// mpi4py's methods that call an MPI procedure, most direct first.
fn methods(function: &str) -> impl Iterator<Item = &'static str> {
    // Lower-case reductions run point-to-point on a private duplicate of the communicator.
    const REDUCTIONS: &[&str] = &["reduce", "allreduce", "scan", "exscan"];
    let bare = function.strip_prefix("MPI_").unwrap_or(function);
    let (own, private): (&'static [&'static str], bool) = match bare {
        "Send" => (&["Send", "send"], true),
        "Ssend" => (&["Ssend", "ssend"], false),
        "Bsend" => (&["Bsend", "bsend"], false),
        "Rsend" => (&["Rsend"], false),
        "Recv" => (&["Recv", "recv"], true),
        "Mprobe" => (&["recv", "sendrecv", "mprobe", "Mprobe"], true),
        "Mrecv" => (&["recv", "sendrecv", "Recv"], true),
        "Probe" => (&["probe", "Probe", "recv"], true),
        "Iprobe" => (&["iprobe", "Iprobe"], false),
        "Improbe" => (&["improbe", "Improbe"], false),
        "Sendrecv" => (&["Sendrecv", "sendrecv"], true),
        "Sendrecv_replace" => (&["Sendrecv_replace"], false),
        "Isendrecv" => (&["Isendrecv"], false),
        "Isendrecv_replace" => (&["Isendrecv_replace"], false),
        "Wait" => (&["wait", "Wait", "sendrecv", "recv"], true),
        "Waitall" => (&["waitall", "Waitall"], false),
        "Waitany" => (&["waitany", "Waitany"], false),
        "Waitsome" => (&["waitsome", "Waitsome"], false),
        "Test" => (&["test", "Test"], false),
        "Testall" => (&["testall", "Testall"], false),
        "Testany" => (&["testany", "Testany"], false),
        "Testsome" => (&["testsome", "Testsome"], false),
        "Barrier" => (&["Barrier", "barrier"], false),
        "Bcast" => (&["bcast", "Bcast"], true),
        "Gather" | "Gatherv" => (&["gather", "Gather", "Gatherv"], false),
        "Scatter" | "Scatterv" => (&["scatter", "Scatter", "Scatterv"], false),
        "Allgather" | "Allgatherv" => (&["allgather", "Allgather", "Allgatherv"], true),
        "Alltoall" | "Alltoallv" | "Alltoallw" => {
            (&["alltoall", "Alltoall", "Alltoallv", "Alltoallw"], false)
        }
        "Reduce" => (&["Reduce", "reduce"], false),
        "Allreduce" => (&["Allreduce", "allreduce"], false),
        "Reduce_scatter" => (&["Reduce_scatter"], false),
        "Reduce_scatter_block" => (&["Reduce_scatter_block"], false),
        "Scan" => (&["Scan", "scan"], false),
        "Exscan" => (&["Exscan", "exscan"], false),
        "Comm_dup" => (&["Dup", "Clone"], true),
        "Comm_dup_with_info" => (&["Dup_with_info"], false),
        "Comm_split" => (&["Split"], false),
        "Comm_split_type" => (&["Split_type"], false),
        "Comm_create" => (&["Create"], false),
        "Comm_create_group" => (&["Create_group"], false),
        "Cart_create" => (&["Create_cart"], false),
        "Cart_sub" => (&["Sub"], false),
        "Graph_create" => (&["Create_graph"], false),
        "Dist_graph_create" => (&["Create_dist_graph"], false),
        "Dist_graph_create_adjacent" => (&["Create_dist_graph_adjacent"], false),
        "Intercomm_create" => (&["Create_intercomm"], false),
        "Intercomm_merge" => (&["Merge"], false),
        "Comm_free" => (&["Free"], false),
        "Comm_disconnect" => (&["Disconnect"], false),
        "Neighbor_allgather" | "Neighbor_allgatherv" => (
            &[
                "neighbor_allgather",
                "Neighbor_allgather",
                "Neighbor_allgatherv",
            ],
            false,
        ),
        "Neighbor_alltoall" | "Neighbor_alltoallv" | "Neighbor_alltoallw" => (
            &[
                "neighbor_alltoall",
                "Neighbor_alltoall",
                "Neighbor_alltoallv",
                "Neighbor_alltoallw",
            ],
            false,
        ),
        "Barrier_init" => (&["Barrier_init"], false),
        "Bcast_init" => (&["Bcast_init"], false),
        "Gather_init" => (&["Gather_init"], false),
        "Gatherv_init" => (&["Gatherv_init"], false),
        "Scatter_init" => (&["Scatter_init"], false),
        "Scatterv_init" => (&["Scatterv_init"], false),
        "Allgather_init" => (&["Allgather_init"], false),
        "Allgatherv_init" => (&["Allgatherv_init"], false),
        "Alltoall_init" => (&["Alltoall_init"], false),
        "Alltoallv_init" => (&["Alltoallv_init"], false),
        "Alltoallw_init" => (&["Alltoallw_init"], false),
        "Reduce_init" => (&["Reduce_init"], false),
        "Allreduce_init" => (&["Allreduce_init"], false),
        "Reduce_scatter_init" => (&["Reduce_scatter_init"], false),
        "Reduce_scatter_block_init" => (&["Reduce_scatter_block_init"], false),
        "Scan_init" => (&["Scan_init"], false),
        "Exscan_init" => (&["Exscan_init"], false),
        "Neighbor_allgather_init" => (&["Neighbor_allgather_init"], false),
        "Neighbor_allgatherv_init" => (&["Neighbor_allgatherv_init"], false),
        "Neighbor_alltoall_init" => (&["Neighbor_alltoall_init"], false),
        "Neighbor_alltoallv_init" => (&["Neighbor_alltoallv_init"], false),
        "Neighbor_alltoallw_init" => (&["Neighbor_alltoallw_init"], false),
        _ => (&[], false),
    };
    own.iter()
        .copied()
        .chain(REDUCTIONS.iter().copied().filter(move |_| private))
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// Where the receiver begins of which a method stands at `end`: names, dots, colons and balanced brackets.
fn receiver(bytes: &[u8], end: usize) -> usize {
    let mut depth = 0u32;
    let mut from = end;
    while from > 0 {
        match bytes[from - 1] {
            b')' | b']' => depth += 1,
            b'(' | b'[' if depth > 0 => depth -= 1,
            b':' if from > 1 && bytes[from - 2] == b':' => from -= 1,
            b if depth > 0 || word(b) || b == b'.' => {}
            _ => break,
        }
        from -= 1;
    }
    from
}

/// `receiver.method` (as written) and `method`, for each method call in a line, comments and strings aside.
fn method_calls(line: &str) -> Vec<(&str, &str)> {
    let bytes = line.as_bytes();
    let mut out = Vec::new();
    let mut quote = None;
    for (i, &b) in bytes.iter().enumerate() {
        match (quote, b) {
            (None, b'#') => break,
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(q), b) if q == b && bytes[i - 1] != b'\\' => quote = None,
            (None, b'(') => {
                let end = line[..i].trim_end().len();
                let start = bytes[..end]
                    .iter()
                    .rposition(|&b| !word(b))
                    .map_or(0, |p| p + 1);
                if start == end || start == 0 || bytes[start - 1] != b'.' {
                    continue;
                }
                let from = receiver(bytes, start - 1);
                if line.is_char_boundary(from) && line.is_char_boundary(start) {
                    out.push((&line[from..end], &line[start..end]));
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Spelling, rust_call, spelling, user_call};
    use standoff_report::{AgentEntry, Frame};

    #[test]
    fn advice_speaks_the_language_of_those_who_wait() {
        let entry = |file: &str, call: Option<&str>| AgentEntry {
            stack: vec![Frame {
                file: Some(file.to_owned()),
                ..Frame::default()
            }],
            user_call: call.map(str::to_owned),
            ..AgentEntry::default()
        };
        let left = AgentEntry::default();
        let of = |entries: &[AgentEntry]| spelling(entries);
        assert_eq!(of(&[]), Spelling::Native);
        assert_eq!(
            of(&[left, entry("a.py", Some("comm.Recv"))]),
            Spelling::Buffers
        );
        let mixed = [
            entry("a.py", Some("comm.Recv")),
            entry("a.py", Some("comm.recv")),
        ];
        assert_eq!(of(&mixed), Spelling::Objects);
        assert_eq!(of(&[entry("<string>", None)]), Spelling::Objects);
        assert_eq!(of(&[entry("ring.f90", None)]), Spelling::Native);
        assert_eq!(
            of(&[entry("src/main.rs", Some("left.receive"))]),
            Spelling::Rust
        );
        assert_eq!(
            Spelling::Rust.both("MPI_Sendrecv"),
            "MPI_Sendrecv (send_receive_into)"
        );
        assert_eq!(Spelling::Native.both("MPI_Sendrecv"), "MPI_Sendrecv");
    }

    #[test]
    fn rust_methods_are_named_as_written() {
        let call = |function, line| rust_call(function, line);
        assert_eq!(
            call(
                "MPI_Recv",
                "    let (got, _) = left.receive::<f64>(); // left.receive_into()"
            )
            .as_deref(),
            Some("left.receive")
        );
        assert_eq!(
            call(
                "MPI_Ssend",
                "world.process_at_rank(rank + 1).synchronous_send(&x[..]);"
            )
            .as_deref(),
            Some("world.process_at_rank(rank + 1).synchronous_send")
        );
        assert_eq!(
            call("MPI_Mprobe", "            .receive_vec_with_tag::<u32>(7)").as_deref(),
            Some("receive_vec_with_tag")
        );
        assert_eq!(
            call(
                "MPI_Sendrecv",
                "mpi::point_to_point::send_receive_into(&a, &p, &mut b, &p);"
            )
            .as_deref(),
            Some("mpi::point_to_point::send_receive_into")
        );
        assert_eq!(call("MPI_Send", "sender(1); resend(2); p.receive()"), None);
    }

    #[test]
    fn the_method_is_named_as_written() {
        let line = "    got = comm.recv(source=5); comm.send(\"a\", dest=5)";
        assert_eq!(user_call("MPI_Mprobe", line).as_deref(), Some("comm.recv"));
        assert_eq!(user_call("MPI_Send", line).as_deref(), Some("comm.send"));
        assert_eq!(user_call("MPI_Barrier", line), None);
    }

    #[test]
    fn receivers_may_be_expressions() {
        let line = "total = self.grid.comms[level % 2].allreduce(x)  # comm.recv()";
        assert_eq!(
            user_call("MPI_Allreduce", line).as_deref(),
            Some("self.grid.comms[level % 2].allreduce")
        );
        assert_eq!(
            user_call("MPI_Mprobe", line).as_deref(),
            Some("self.grid.comms[level % 2].allreduce")
        );
        assert_eq!(user_call("MPI_Recv", "log('comm.recv(')"), None);
    }

    #[test]
    fn private_communication_of_reductions_is_named_by_the_reduction() {
        assert_eq!(
            user_call("MPI_Comm_dup", "s = comm.reduce(v, root=0)").as_deref(),
            Some("comm.reduce")
        );
        assert_eq!(
            user_call("MPI_Wait", "req.wait()").as_deref(),
            Some("req.wait")
        );
        assert_eq!(
            user_call("MPI_Wait", "MPI.COMM_WORLD.irecv(source=1).wait()").as_deref(),
            Some("MPI.COMM_WORLD.irecv(source=1).wait")
        );
    }
}
