//! What is said once: findings that read the same, assumptions; and what is only likely.

mod common;

use common::*;
use standoff_report::text::{self, Options};
use standoff_report::{AgentEntry, Finding, FindingKind, Op, Report, Verdict};

fn plain(report: &Report) -> String {
    let mut out = Vec::new();
    text::write(report, &sources(), Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const ASSUMED: &str = "this library has not let it go on";

/// A send of a rank to itself that no receive was posted for.
fn to_itself(r: u32) -> Finding {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let send = rank(r, Op::Send, "MPI_Send", "comm.send", ("app.py", 16, "ring"));
    let mut send = send.waits_for([r]).because("it has posted no receive");
    send.comm = Some("MPI_COMM_WORLD".into());
    send.peer = Some(r as i32);
    send.reason = Some(format!("rank {r} has posted no receive"));
    finding.core = vec![send];
    finding.cycle = names([r]);
    finding.victims = vec![in_finalize(9, [9])];
    finding.explanation = format!("Rank {r} waits for rank {r} to receive its message.");
    finding.assumption = Some(ASSUMED.into());
    finding
}

/// Two ranks that each receive first.
fn pair(a: u32, b: u32) -> Finding {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let recv = |me, you| {
        let at = ("app.py", 15, "ring");
        rank(me, Op::Probe, "MPI_Mprobe", "comm.recv", at).waits_for([you])
    };
    finding.core = vec![recv(a, b), recv(b, a)];
    finding.cycle = names([a, b]);
    finding.explanation = format!("Ranks {a} and {b} both receive first.");
    finding.advice = vec![format!("let rank {a} send first")];
    finding
}

fn deadlocks(findings: Vec<Finding>) -> Report {
    report(Verdict::Deadlock, 10, findings)
}

#[test]
fn what_reads_the_same_is_shown_once() {
    let text = plain(&deadlocks(vec![to_itself(0), to_itself(2), to_itself(3)]));
    let heading = "standoff: deadlock on this MPI: rank 0 waits for itself; the same on ranks 2 and\n          3\n";
    assert!(text.starts_with(heading), "{text}");
    for (words, times) in [
        ("--> app.py:16", 1),
        ("waits for rank 0 to receive its message", 2),
        ("\n  the same on ranks 2 and 3\n", 1),
        (ASSUMED, 1),
        ("rank 2 waits", 0),
    ] {
        assert_eq!(text.matches(words).count(), times, "{words}: {text}");
    }
}

#[test]
fn sets_of_several_ranks_are_named_each() {
    let text = plain(&deadlocks(vec![pair(0, 1), pair(2, 3), pair(4, 5)]));
    assert!(
        text.contains("\n  the same on ranks 2 and 3, and on ranks 4 and 5\n"),
        "{text}"
    );
    assert_eq!(text.matches("help: ").count(), 1, "{text}");
    let many: Vec<Finding> = (0..20).map(|i| pair(2 * i, 2 * i + 1)).collect();
    let text = plain(&deadlocks(many));
    assert!(text.contains("and on 13 more such sets"), "{text}");
}

/// Whatever differs but the ranks keeps them apart.
#[test]
fn what_differs_is_shown_in_full() {
    let changes: [fn(&mut Finding); 7] = [
        |f| f.core[0].stack[0].line = Some(22),
        |f| f.core[0].tag = Some(3),
        |f| f.core[0].peer = Some(0),
        |f| f.explanation += " Rank 7 has left.",
        |f| f.advice.push("something else".into()),
        |f| f.victims.clear(),
        |f| f.core[0].waits_for = names([7]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut other = to_itself(2);
        change(&mut other);
        let text = plain(&deadlocks(vec![to_itself(0), other]));
        assert!(text.contains("2 independent deadlocks\n"), "{i}: {text}");
        assert!(
            text.contains("\n2. ") && !text.contains("the same on"),
            "{i}: {text}"
        );
        // What both assume is said once; both headings say that they assume something.
        assert_eq!(text.matches(ASSUMED).count(), 1, "{i}: {text}");
        assert_eq!(text.matches(". on this MPI ").count(), 2, "{i}: {text}");
    }
}

#[test]
fn groups_and_others() {
    let text = plain(&deadlocks(vec![to_itself(0), pair(4, 5), to_itself(2)]));
    assert!(
        text.starts_with("standoff: deadlock: 3 independent deadlocks of 2 kinds\n"),
        "{text}"
    );
    assert!(
        text.contains("\n1. on this MPI rank 0 waits for itself\n"),
        "{text}"
    );
    assert!(
        text.contains("\n2. ranks 4 and 5 wait for each other"),
        "{text}"
    );
    assert!(!text.contains("\n3. "), "{text}");
}

/// Rank 0 is in the place of rank 1 and the other way round: the same set with names exchanged is no pairing of different ranks only.
#[test]
fn a_rank_plays_one_part() {
    let mut one = pair(0, 1);
    one.victims = vec![in_finalize(2, [0])];
    let mut other = pair(2, 3);
    other.victims = vec![in_finalize(2, [2])];
    let text = plain(&deadlocks(vec![one, other]));
    assert!(text.contains("2 independent deadlocks\n"), "{text}");
}

#[test]
fn a_stall_is_only_likely() {
    let mut finding = Finding::new(FindingKind::Stalled);
    let at = ("app.py", 15, "ring");
    let poll = |r| rank(r, Op::Probe, "MPI_Iprobe", "comm.iprobe", at).waits_for([1]);
    finding.core = vec![poll(2), finished(1, "has finished")];
    finding.assumption = Some("for 5 s rank 2 got nothing from any poll".into());
    let stalled = |finding: &Finding| plain(&report(Verdict::Stalled, 3, vec![finding.clone()]));
    let text = stalled(&finding);
    let heading = "standoff: stalled: rank 2 seems stuck: it only polls, and nobody seems able to\n          complete what is polled for\n";
    assert!(text.starts_with(heading), "{text}");
    assert!(
        text.contains("note: for 5 s rank 2 got nothing from any poll"),
        "{text}"
    );
    finding.core.insert(1, poll(0));
    let text = stalled(&finding);
    assert!(
        text.contains("ranks 0 and 2 seem stuck: they only poll"),
        "{text}"
    );
    assert!(!text.contains("nobody can"), "{text}");
}

/// Rows and columns of a grid, each rank in another communicator than the one it waits for.
#[test]
fn collectives_of_different_communicators() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let sum = |me: u32, you: u32, comm: &str| {
        let at = ("app.py", 23, "main");
        let mut entry =
            rank(me, Op::Collective, "MPI_Allreduce", "row.Allreduce", at).waits_for([you]);
        entry.comm = Some(comm.into());
        entry
    };
    let entries: Vec<AgentEntry> = vec![
        sum(0, 1, "row (ranks 0 and 1)"),
        sum(1, 3, "column (ranks 1 and 3)"),
        sum(2, 0, "column (ranks 0 and 2)"),
        sum(3, 2, "row (ranks 2 and 3)"),
    ];
    finding.core = entries;
    finding.cycle = names([0, 1, 3, 2]);
    let mut report = report(Verdict::Deadlock, 4, vec![finding]);
    let heading =
        "all 4 ranks wait for each other in a ring, in collectives of different communicators";
    assert_eq!(text::headline(&report), format!("deadlock: {heading}"));
    let text = plain(&report);
    assert!(
        text.contains("waits for rank 1 to take part, on row (ranks 0 and 1)"),
        "{text}"
    );
    assert!(
        text.contains("rank 0 waits here for rank 1 to take part\n"),
        "{text}"
    );
    for entry in &mut report.findings[0].core {
        entry.comm = Some("row".into());
    }
    assert!(!text::headline(&report).contains("different communicators"));
}

/// Errors and tables keep to 80 columns; what is to be copied stays in one piece.
#[test]
fn paragraphs() {
    let path = format!("`/{}/x.json`", "long/".repeat(20));
    let said = text::paragraph(
        "standoff: error: ",
        &format!("cannot write the result to {path}: no such directory"),
        10,
    );
    assert_eq!(
        said,
        format!(
            "standoff: error: cannot write the result to\n          {path}:\n          no such directory\n"
        )
    );
    let words = "word ".repeat(60);
    let said = text::paragraph("note ", &format!("{words}\n{words}"), 5);
    assert!(said.lines().count() == 8);
    assert!(
        said.lines()
            .skip(1)
            .all(|line| line.starts_with("     word") && line.len() <= 80)
    );
    assert_eq!(said.split_whitespace().count(), 121);
}
