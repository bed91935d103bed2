//! Whatever is in a report: no panic, no line of more than 80 columns, no escape of the program's, and JSON keeps it.

mod common;

use common::sources;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use standoff_report::text::{self, Color, Options};
use standoff_report::{
    AgentEntry, Cause, Finding, FindingKind, Frame, Op, Report, RequestEntry, Scope, Severity,
    Step, Traceback, Verdict, WaitKind, json,
};
use unicode_width::UnicodeWidthStr;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z_./]{0,12}",
        1 => "\\PC{0,30}",
        1 => any::<String>(),
        1 => Just("長い名前のファイル/".repeat(20)),
        1 => Just("comm.recv(source=5)".to_owned()),
        1 => "[a-z ]{0,300}",
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let file = prop_oneof![
        Just("recipe.py".to_owned()),
        Just("app.py".to_owned()),
        word()
    ];
    (
        of(file),
        of(prop_oneof![0u32..40, any::<u32>()]),
        of(word()),
        of(word()),
        any::<Option<u64>>(),
        of(word()),
    )
        .prop_map(|(file, line, function, module, offset, hint)| Frame {
            file,
            line,
            function,
            module,
            offset,
            hint,
        })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0u32..12).prop_map(|r| format!("rank {r}")),
        1 => any::<u32>().prop_map(|r| format!("rank {r}")),
        1 => (0u32..4, 4u32..9).prop_map(|(a, b)| format!("ranks {a}-{b}")),
        1 => word(),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Recv),
        Just(Op::Send),
        Just(Op::Ssend),
        Just(Op::Probe),
        Just(Op::Collective),
        Just(Op::Wait),
        Just(Op::Finalize),
        Just(Op::Ended),
        Just(Op::Running),
        word().prop_map(Op::Other),
    ]
}

fn request() -> impl Strategy<Value = RequestEntry> {
    (
        of(op()),
        of(word()),
        of(word()),
        any::<Option<i32>>(),
        vec(name(), 0..3),
        of(frame()),
        of(word()),
    )
        .prop_map(
            |(op, call, comm, peer, waits_for, posted, reason)| RequestEntry {
                op,
                call,
                comm,
                peer,
                tag: peer,
                waits_for,
                posted,
                reason,
            },
        )
}

fn entry() -> impl Strategy<Value = AgentEntry> {
    let wait = of(prop_oneof![
        Just(WaitKind::All),
        Just(WaitKind::Any),
        Just(WaitKind::KOfN)
    ]);
    let who = (
        name(),
        any::<u32>(),
        word(),
        of(word()),
        of(word()),
        any::<Option<i32>>(),
    );
    let what = (
        wait,
        vec(frame(), 0..7),
        vec(name(), 0..4),
        of(op()),
        of(word()),
        of(word()),
        vec(request(), 0..9),
    );
    (who, what).prop_map(
        |(
            (agent, rank, call, user_call, comm, tag),
            (wait, stack, waits_for, op, reason, state, requests),
        )| {
            AgentEntry {
                rank: agent
                    .strip_prefix("rank ")
                    .and_then(|r| r.parse().ok())
                    .unwrap_or(rank),
                agent,
                thread: None,
                world: 0,
                call,
                user_call,
                comm,
                peer: tag,
                tag,
                wait,
                wait_count: None,
                stack,
                waits_for,
                op,
                reason,
                state,
                requests,
                calls: Vec::new(),
            }
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    let kind = prop_oneof![
        Just(FindingKind::Deadlock),
        Just(FindingKind::PotentialDeadlock),
        Just(FindingKind::Stalled),
        Just(FindingKind::CollectiveMismatch),
        Just(FindingKind::Crash),
        Just(FindingKind::Timeout),
        word().prop_map(FindingKind::Other),
    ];
    let cause = (any::<u32>(), 0u32..2, word(), vec(frame(), 0..3)).prop_map(
        |(rank, world, what, stack)| Cause {
            rank,
            world,
            what,
            traceback: (!stack.is_empty()).then(|| Traceback {
                error: "E".repeat(100),
                frames: stack.clone(),
            }),
            stack,
        },
    );
    let texts = (vec(word(), 0..3), of(word()), word(), vec(word(), 0..3));
    (
        kind,
        any::<bool>(),
        vec(entry(), 0..14),
        vec(entry(), 0..14),
        vec(cause, 0..3),
        vec(name(), 0..4),
        texts,
    )
        .prop_map(
            |(
                kind,
                warning,
                core,
                victims,
                causes,
                cycle,
                (mismatch, assumption, explanation, advice),
            )| Finding {
                severity: if warning {
                    Severity::Warning
                } else {
                    Severity::Error
                },
                kind,
                confirmed: warning,
                core,
                victims,
                causes,
                cycle,
                witness: assumption.clone(),
                summary: assumption.clone(),
                assumption,
                steps: steps(&advice),
                steps_left_out: 2,
                mismatch,
                explanation,
                advice,
            },
        )
}

fn steps(words: &[String]) -> Vec<Step> {
    let step = |pair: &[String]| Step {
        agents: pair[0].clone(),
        place: pair[1].clone(),
        what: pair.concat(),
    };
    words.windows(2).map(step).collect()
}

fn report() -> impl Strategy<Value = Report> {
    let verdict = prop_oneof![
        Just(Verdict::Deadlock),
        Just(Verdict::Stalled),
        Just(Verdict::PotentialDeadlock),
        Just(Verdict::Clean),
        Just(Verdict::Failed),
    ];
    (
        verdict,
        any::<u32>(),
        vec(finding(), 0..4),
        vec(word(), 0..3),
    )
        .prop_map(|(verdict, ranks, findings, notes)| {
            let mut report = Report::new(verdict, Scope::Bounded, ranks);
            report.findings = findings;
            report.bound = notes.first().cloned();
            report.elapsed_ms = Some(u64::from(ranks));
            report.detected_after_ms = Some(u64::from(ranks));
            report.notes = notes;
            report
        })
}

fn render(report: &Report, color: Color, brief: bool) -> String {
    let options = Options {
        color,
        brief,
        quiet: false,
    };
    let mut out = Vec::new();
    text::write(report, &sources(), options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn lines_fit(report in report(), brief: bool) {
        let text = render(&report, Color::Never, brief);
        prop_assert!(!text.contains('\x1b'));
        for line in text.lines() {
            prop_assert!(line.width() <= 80, "{} columns: {line}", line.width());
            prop_assert!(line.trim_end_matches(' ') == line, "space at the end: {line:?}");
        }
    }

    #[test]
    fn colours_change_no_text(report in report()) {
        let mut text = render(&report, Color::Always, false);
        while let Some(from) = text.find('\x1b') {
            let to = from + text[from..].find('m').unwrap();
            text.replace_range(from..=to, "");
        }
        prop_assert_eq!(text, render(&report, Color::Never, false));
    }

    #[test]
    fn json_keeps_it(report in report()) {
        let mut out = Vec::new();
        json::write(&report, &mut out).unwrap();
        // A name that is one of the known words is read as that word.
        let again = json::read(&out[..]).unwrap();
        let mut twice = Vec::new();
        json::write(&again, &mut twice).unwrap();
        prop_assert_eq!(out, twice);
    }
}
