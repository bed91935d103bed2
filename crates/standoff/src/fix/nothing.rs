//! Why a deadlock has no patch, as far as the finding itself tells: what only the program's author can know.

use standoff_report::{Finding, Op};

/// A sentence.
pub fn word(finding: &Finding) -> String {
    if let Some(cause) = finding.causes.iter().find(|c| c.what != "finished") {
        return format!(
            "rank {} {}: mending that is the cure, and no change of order.",
            cause.rank, cause.what
        );
    }
    let is = |op: &Op| finding.core.iter().all(|e| e.op.as_ref() == Some(op));
    let waits =
        |e: &&standoff_report::AgentEntry| matches!(e.op, Some(Op::Recv | Op::Probe | Op::Wait));
    let calls = || finding.core.iter().map(|e| &e.call);
    let first = calls().next();
    let ended = |e: &standoff_report::AgentEntry| matches!(e.op, Some(Op::Finalize | Op::Ended));
    if is(&Op::Collective) && calls().any(|c| Some(c) != first) {
        "the ranks are in different collectives, and which of them was meant is not in the source."
            .to_owned()
    } else if !finding.causes.is_empty() || finding.core.iter().any(ended) {
        "a rank came to its end without what another waits for; whether a call is missing there or one too many here is not in the source."
            .to_owned()
    } else if let Some(entry) = finding.core.iter().find(waits) {
        format!(
            "rank {} waits for something that no reordering known to be safe makes come; perhaps a send is missing.",
            entry.rank
        )
    } else {
        "no repair that fix knows fits what hangs here.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use standoff_report::{AgentEntry, Cause, FindingKind};

    use super::*;

    fn entry(rank: u32, op: Op, call: &str) -> AgentEntry {
        AgentEntry {
            rank,
            op: Some(op),
            call: call.to_owned(),
            ..AgentEntry::default()
        }
    }

    #[test]
    fn each_sort_has_its_word() {
        let mut finding = Finding::new(FindingKind::Deadlock);
        finding.core = vec![
            entry(0, Op::Collective, "MPI_Bcast"),
            entry(1, Op::Collective, "MPI_Reduce"),
        ];
        assert!(word(&finding).contains("different collectives"));
        finding.core = vec![
            entry(3, Op::Recv, "MPI_Recv"),
            entry(1, Op::Recv, "MPI_Recv"),
        ];
        assert!(word(&finding).starts_with("rank 3 waits"));
        finding.core.push(entry(2, Op::Finalize, "MPI_Finalize"));
        assert!(word(&finding).contains("came to its end"));
        finding.causes = vec![Cause {
            rank: 2,
            world: 0,
            what: "raised KeyError: 'steps'".to_owned(),
            stack: Vec::new(),
            traceback: None,
        }];
        assert!(word(&finding).starts_with("rank 2 raised KeyError: 'steps': mending"));
    }
}
