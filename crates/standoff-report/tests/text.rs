//! What the diagnosis looks like.

mod common;

use common::*;
use standoff_report::sources::NoSources;
use standoff_report::text::{self, Color, Options};
use standoff_report::{
    AgentEntry, Cause, Finding, FindingKind, Frame, Op, Report, RequestEntry, Scope, Step, Verdict,
    WaitKind,
};

fn render(report: &Report, options: Options) -> String {
    let mut out = Vec::new();
    text::write(report, &sources(), options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(report: &Report) -> String {
    render(report, Options::default())
}

fn brief(report: &Report) -> String {
    let options = Options {
        brief: true,
        ..Options::default()
    };
    render(report, options)
}

#[test]
fn opening_example() {
    insta::assert_snapshot!(plain(&opening()));
}

#[test]
fn opening_example_brief() {
    insta::assert_snapshot!(brief(&opening()));
}

#[test]
fn opening_example_in_colour() {
    let options = Options {
        color: Color::Always,
        ..Options::default()
    };
    let text = render(&opening(), options);
    insta::assert_snapshot!(text.replace('\x1b', "␛"));
}

#[test]
fn opening_example_in_c() {
    insta::assert_snapshot!(plain(&opening_c()));
}

#[test]
fn opening_example_without_sources() {
    let mut out = Vec::new();
    text::write(&opening(), &NoSources, Options::default(), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn sends_that_might_be_buffered() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let send = |me, you, line| {
        let at = ("half.py", line, "<module>");
        let mut entry = rank(me, Op::Send, "MPI_Send", "comm.send", at);
        entry.tag = Some(3);
        entry.waits_for([you])
    };
    finding.core = vec![send(0, 1, 6), send(1, 0, 9)];
    finding.cycle = names([0, 1]);
    finding.assumption = Some(
        "a standard send may return once its message is buffered; here both had not returned \
         for 200 ms in which each had processor time to progress"
            .into(),
    );
    finding.explanation = "Both ranks send before they receive.".into();
    finding.advice = vec!["use comm.sendrecv on both ranks".into()];
    insta::assert_snapshot!(plain(&report(Verdict::Deadlock, 2, vec![finding])));
}

#[test]
fn ring_of_three() {
    insta::assert_snapshot!(plain(&ring(3)));
}

#[test]
fn ring_of_twelve() {
    insta::assert_snapshot!(plain(&ring(12)));
}

#[test]
fn ring_of_twelve_brief() {
    insta::assert_snapshot!(brief(&ring(12)));
}

fn barrier_without_one() -> Report {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let barrier = |r| {
        let at = ("app.py", 23, "main");
        rank(r, Op::Collective, "MPI_Barrier", "comm.Barrier", at).waits_for([37])
    };
    let at = ("app.py", 15, "ring");
    let recv = rank(37, Op::Probe, "MPI_Mprobe", "comm.recv", at).waits_for([36]);
    finding.core = vec![barrier(36), recv.because("rank 36 has sent it nothing")];
    finding.cycle = names([36, 37]);
    finding.victims = (0..512)
        .filter(|r| ![36, 37].contains(r))
        .map(barrier)
        .collect();
    finding.explanation = "Rank 37 is not in the barrier.".into();
    report(Verdict::Deadlock, 512, vec![finding])
}

#[test]
fn barrier_of_512_without_one() {
    insta::assert_snapshot!(plain(&barrier_without_one()));
}

#[test]
fn barrier_of_512_after_one_finished() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    finding.core = (0..511)
        .map(|r| {
            let at = ("app.py", 23, "main");
            rank(r, Op::Collective, "MPI_Barrier", "comm.Barrier", at).waits_for([511])
        })
        .collect();
    finding.core.push(finished(511, "has finished"));
    finding.explanation = "Rank 511 returned without calling the barrier.".into();
    let report = report(Verdict::Deadlock, 512, vec![finding]);
    insta::assert_snapshot!(plain(&report));
}

#[test]
fn two_findings() {
    let mut report = opening();
    report.findings[0].victims.clear();
    let mut other = ring(3).findings.remove(0);
    for (entry, r) in other.core.iter_mut().zip([2, 3, 4]) {
        entry.rank = r;
        entry.agent = format!("rank {r}");
        entry.waits_for = names([if r == 2 { 4 } else { r - 1 }]);
    }
    other.cycle = names([4, 3, 2]);
    report.findings.push(other);
    insta::assert_snapshot!(plain(&report));
}

#[test]
fn partner_that_raised() {
    insta::assert_snapshot!(plain(&raised()));
}

#[test]
fn partner_that_raised_brief() {
    insta::assert_snapshot!(brief(&raised()));
}

#[test]
fn two_calls_wait_for_one_that_finished() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let at = ("app.py", 15, "ring");
    let recv = rank(3, Op::Probe, "MPI_Mprobe", "comm.recv", at).waits_for([0]);
    let at = ("app.py", 22, "main");
    let bcast = |r| rank(r, Op::Collective, "MPI_Bcast", "comm.bcast", at).waits_for([0]);
    finding.core = vec![bcast(1), bcast(2), recv, finished(0, "has finished")];
    insta::assert_snapshot!(brief(&report(Verdict::Deadlock, 4, vec![finding])));
}

#[test]
fn collectives_that_do_not_match() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let side = |r, call: &str, user: &str, line| {
        rank(r, Op::Collective, call, user, ("app.py", line, "main"))
    };
    finding.core = (0..4)
        .map(|r| side(r, "MPI_Bcast", "comm.bcast", 22).waits_for(4..8))
        .chain((4..8).map(|r| side(r, "MPI_Reduce", "comm.reduce", 26).waits_for(0..4)))
        .collect();
    finding.cycle = names([0, 4]);
    finding.mismatch = vec![
        "ranks 0–3 call comm.bcast(root=0) as their 3rd collective on MPI_COMM_WORLD".into(),
        "ranks 4–7 call comm.reduce(root=0) as their 3rd".into(),
    ];
    finding.assumption = Some("this MPI lets neither call go on without the other side".into());
    insta::assert_snapshot!(plain(&report(Verdict::Deadlock, 8, vec![finding])));
}

#[test]
fn native_frames_without_debug_information() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let one = |me, you, function: Option<&str>, offset| AgentEntry {
        agent: format!("rank {me}"),
        rank: me,
        call: "MPI_Recv".into(),
        op: Some(Op::Recv),
        stack: vec![
            Frame {
                function: function.map(Into::into),
                module: Some("halo".into()),
                offset: Some(offset),
                hint: Some("compile with -g to see the line".into()),
                ..Frame::default()
            },
            Frame {
                function: Some("main".into()),
                module: Some("halo".into()),
                offset: Some(0x81),
                ..Frame::default()
            },
        ],
        waits_for: names([you]),
        ..AgentEntry::default()
    };
    finding.core = vec![one(0, 1, Some("exchange"), 0x4f), one(1, 0, None, 0x1189)];
    insta::assert_snapshot!(plain(&report(Verdict::Deadlock, 2, vec![finding])));
}

#[test]
fn wait_on_several_requests() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let request = |op: Op, peer: u32, tag, line| RequestEntry {
        op: Some(op),
        comm: Some("rows".into()),
        peer: Some(0),
        tag: Some(tag),
        waits_for: names([peer]),
        posted: Some(Frame::at("app.py", line, "ring")),
        reason: (tag == 7).then(|| "nothing sent with this tag; it did send tag 8".into()),
        ..RequestEntry::default()
    };
    let at = ("app.py", 16, "ring");
    let mut waits = rank(0, Op::Wait, "MPI_Waitall", "MPI.Request.Waitall", at).waits_for([1, 2]);
    waits.comm = None;
    waits.requests = vec![request(Op::Recv, 1, 7, 14), request(Op::Ssend, 2, 9, 15)];
    let at = ("app.py", 15, "ring");
    let mut any = rank(1, Op::Recv, "MPI_Recv", "comm.Recv", at).waits_for([0, 2]);
    any.wait = Some(WaitKind::Any);
    any.peer = Some(-1);
    let two = rank(2, Op::Ssend, "MPI_Ssend", "comm.ssend", at).waits_for([0]);
    finding.core = vec![waits, any, two];
    insta::assert_snapshot!(plain(&report(Verdict::Deadlock, 3, vec![finding])));
}

#[test]
fn threads() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let thread = |r, t: u32, other: &str| {
        let at = ("app.py", 15, "ring");
        let mut entry = rank(r, Op::Probe, "MPI_Mprobe", "comm.recv", at);
        entry.agent = format!("rank {r} thread {t}");
        entry.thread = Some(t);
        entry.waits_for = vec![other.into()];
        entry
    };
    finding.core = vec![
        thread(0, 1, "rank 1 thread 2"),
        thread(1, 2, "rank 0 thread 1"),
    ];
    insta::assert_snapshot!(plain(&report(Verdict::Deadlock, 2, vec![finding])));
}

#[test]
fn several_threads_of_one_rank() {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let thread = |r, t: u32, others: [&str; 2]| {
        let at = ("app.py", 15, "ring");
        let mut entry = rank(r, Op::Probe, "MPI_Mprobe", "comm.recv", at);
        entry.agent = format!("rank {r} thread {t}");
        entry.thread = Some(t);
        entry.waits_for = others.map(str::to_owned).to_vec();
        entry.wait = Some(WaitKind::Any);
        entry
    };
    let zero = ["rank 0 thread 0", "rank 0 thread 2"];
    let one = ["rank 1 thread 0", "rank 1 thread 1"];
    finding.core = vec![
        thread(0, 0, one),
        thread(0, 2, one),
        thread(1, 0, zero),
        thread(1, 1, zero),
    ];
    finding.cycle = vec!["rank 0 thread 0".into(), "rank 1 thread 0".into()];
    let both = report(Verdict::Deadlock, 2, vec![finding.clone()]);
    insta::assert_snapshot!(plain(&both));
    finding.core.truncate(2);
    finding.core[0].waits_for = vec![zero[1].into()];
    finding.core[1].waits_for = vec![zero[0].into()];
    finding.cycle.clear();
    let alone = report(Verdict::Deadlock, 2, vec![finding]);
    insta::assert_snapshot!(text::headline(&alone));
}

#[test]
fn stalled() {
    let mut finding = Finding::new(FindingKind::Stalled);
    let at = ("app.py", 15, "ring");
    let poll = rank(2, Op::Probe, "MPI_Iprobe", "comm.iprobe", at).waits_for([0]);
    finding.core = vec![poll];
    finding.victims = vec![in_finalize(0, [2]), in_finalize(1, [2])];
    finding.explanation =
        "For 5 s rank 2 has done nothing but poll for a message that nobody will send.".into();
    insta::assert_snapshot!(plain(&report(Verdict::Stalled, 3, vec![finding])));
}

#[test]
fn potential_deadlock() {
    let mut report = opening();
    report.verdict = Verdict::PotentialDeadlock;
    report.scope = Scope::AllExecutions;
    let finding = &mut report.findings[0];
    finding.kind = FindingKind::PotentialDeadlock;
    finding.witness = Some("standoff-witness-1.json".into());
    insta::assert_snapshot!(brief(&report));
    report.findings[0].confirmed = false;
    insta::assert_snapshot!(text::headline(&report));
}

/// What `check` says beside: what happens, how it comes about, why it passed.
#[test]
fn potential_deadlock_with_steps() {
    let mut report = opening();
    report.verdict = Verdict::PotentialDeadlock;
    report.scope = Scope::Bounded;
    let finding = &mut report.findings[0];
    finding.kind = FindingKind::PotentialDeadlock;
    let summary = "if rank 5's estimate arrives first at recipe.py:3, rank 1 waits at recipe.py:4 for one that never comes";
    finding.summary = Some(summary.into());
    let step = |agents: &str, place: &str, what: &str| Step {
        agents: agents.into(),
        place: place.into(),
        what: what.into(),
    };
    finding.steps = vec![
        step(
            "ranks 2–4",
            "recipe.py:9",
            "comm.send is buffered, and its rank goes on",
        ),
        step(
            "rank 1",
            "recipe.py:3",
            "comm.recv takes the message of rank 5 (recipe.py:6), and not that of rank 3 as in the recorded run",
        ),
        step(
            "ranks 0, 2–4, 6 and 8",
            "a_module_with_quite_a_long_name.py:1234",
            "comm.recv waits for a message from rank 5",
        ),
        step("rank 5", "", "MPI_Barrier waits for ranks 1–4 to take part"),
    ];
    finding.steps_left_out = 3;
    finding.explanation = "It passed because 4,096 bytes fit what MPICH buffers here; above about 8,112 bytes it will hang.".into();
    finding.witness = Some("standoff-witness-1.json".into());
    insta::assert_snapshot!(plain(&report));
}

#[test]
fn failed() {
    let mut finding = Finding::new(FindingKind::Crash);
    finding.causes = vec![Cause {
        rank: 3,
        what: "was killed by signal 11 (SIGSEGV)".into(),
        stack: vec![Frame::at("recipe.c", 8, "main")],
        ..Cause::default()
    }];
    let mut report = report(Verdict::Failed, 9, vec![finding]);
    report.exit.signal = Some(11);
    insta::assert_snapshot!(plain(&report));
    report.findings.clear();
    insta::assert_snapshot!(plain(&report), @"standoff: failed: the program was ended by signal 11 (SIGSEGV)");
}

#[test]
fn timeout() {
    let mut finding = Finding::new(FindingKind::Timeout);
    let at = ("app.py", 15, "ring");
    finding.core = (0..3)
        .map(|r| rank(r, Op::Probe, "MPI_Mprobe", "comm.recv", at).waits_for([3]))
        .collect();
    finding.core.push(AgentEntry {
        agent: "rank 3".into(),
        rank: 3,
        op: Some(Op::Running),
        state: Some("computes".into()),
        stack: vec![Frame::at("app.py", 9, "setup")],
        ..AgentEntry::default()
    });
    let mut report = report(Verdict::Failed, 4, vec![finding]);
    report.elapsed_ms = Some(30_000);
    report.notes = vec!["rank 3 could still act, so this is no deadlock".into()];
    insta::assert_snapshot!(plain(&report));
}

#[test]
fn clean() {
    let mut report = report(Verdict::Clean, 9, vec![]);
    insta::assert_snapshot!(plain(&report), @"standoff: clean: 9 ranks, no deadlock in this run");
    report.scope = Scope::Bounded;
    report.bound = Some("40 runs".into());
    insta::assert_snapshot!(plain(&report), @"standoff: clean: 9 ranks, no deadlock in the executions tried (40 runs)");
    report.scope = Scope::AllExecutions;
    insta::assert_snapshot!(plain(&report), @r"
    standoff: clean: 9 ranks, no deadlock in any execution that MPI allows for this
              input
    ");
    let quiet = Options {
        quiet: true,
        ..Options::default()
    };
    assert_eq!(render(&report, quiet), "");
}

#[test]
fn warnings() {
    let mut finding = Finding::new(FindingKind::UnreceivedMessage);
    let at = ("app.py", 16, "ring");
    let mut entry = rank(0, Op::Send, "MPI_Send", "comm.send", at);
    entry.state = Some("sent tag 7 to rank 1".into());
    finding.core = vec![entry];
    finding.explanation = "Rank 0 sent rank 1 a message that it never received.".into();
    insta::assert_snapshot!(plain(&report(Verdict::Clean, 2, vec![finding])));
}

#[test]
fn long_paths_and_lines() {
    let file = "/lustre/project/p_0815/users/someone/simulations/2026-11/solver/exchange.py";
    let code = format!(
        "    halo_{} = comm.recv(source=other)  # {}",
        "x".repeat(70),
        "y".repeat(60)
    );
    let sources = sources().with(file, &format!("\n\n{code}\n"));
    let mut report = opening();
    for entry in &mut report.findings[0].core {
        entry.stack[0] = Frame::at(file, 3, "exchange_with_all_neighbours");
    }
    let mut out = Vec::new();
    text::write(&report, &sources, Options::default(), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

/// Sizes at which anything quadratic in the number of agents would show (the test would take minutes).
#[test]
fn large_jobs() {
    let n = 100_000;
    let mut finding = Finding::new(FindingKind::Deadlock);
    let one = |r: u32| {
        let at = ("app.py", 15, "ring");
        rank(r, Op::Probe, "MPI_Mprobe", "comm.recv", at).waits_for([(r + 1) % n])
    };
    finding.core = (0..n).map(one).collect();
    finding.cycle = names(0..n);
    let at = ("app.py", 22, "main");
    let bcast = |r: u32| rank(r, Op::Collective, "MPI_Bcast", "comm.bcast", at);
    let mut other = Finding::new(FindingKind::Deadlock);
    other.core = (n..n + 1000).map(|r| bcast(r).waits_for([r ^ 1])).collect();
    other.victims = (2 * n..3 * n)
        .map(|r| bcast(r).waits_for([n + r % 999]))
        .collect();
    insta::assert_snapshot!(brief(&report(
        Verdict::Deadlock,
        3 * n,
        vec![finding, other]
    )));
}

#[test]
fn commands_to_copy_are_not_broken() {
    let mut report = opening();
    let command = "mpiexec -n 9 python -m mpi4py recipe.py";
    report.findings[0].advice = vec![format!(
        "to end the job when a rank raises, run `{command}`"
    )];
    assert!(plain(&report).contains(command));
}

#[test]
fn victims_at_many_places() {
    let mut report = opening();
    let finding = &mut report.findings[0];
    finding.victims = (10..40)
        .map(|r| {
            let at = ("app.py", 20 + r % 10, "main");
            rank(r, Op::Collective, "MPI_Bcast", "comm.bcast", at).waits_for([1])
        })
        .collect();
    finding.explanation.clear();
    finding.advice.clear();
    insta::assert_snapshot!(plain(&report));
}
