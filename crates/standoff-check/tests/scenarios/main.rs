//! What the analysis says of runs that a person could have recorded.

mod dsl;
mod persistent;

use std::borrow::Cow;

use dsl::*;
use standoff_check::{
    Bound, Model, Options, Outcome, Scope, Verdict, Warning, Witness, check, schedule, warnings,
};
use standoff_trace::event::*;
use standoff_trace::{Basic, Event, Trace};

fn verdict(trace: &Trace) -> Verdict {
    check(trace, &Options::default())
        .expect("the trace is whole")
        .0
}

fn deadlock(trace: &Trace) -> Witness {
    match verdict(trace) {
        Verdict::Deadlock(witness) => *witness,
        clean @ Verdict::Clean(_) => panic!("{clean:?}"),
    }
}

fn exactly_clean(trace: &Trace) {
    assert_eq!(verdict(trace), Verdict::Clean(Scope::RecordedControlFlow));
}

fn text(trace: &Trace) -> String {
    schedule(trace, &deadlock(trace), &|_, _| None).to_string()
}

#[test]
fn both_send_first() {
    let trace = trace(vec![vec![send(1), recv(1)], vec![send(0), recv(0)]]);
    let witness = deadlock(&trace);
    assert_eq!(witness.core, [0, 1]);
    assert_eq!(witness.diverges, []);
    assert_eq!(witness.stuck[0].event, event(1));
    insta::assert_snapshot!(text(&trace), @r"
        1  rank 0  MPI_Send to 1, tag 0 at rank_0.py:1: begins
        2  rank 1  MPI_Send to 0, tag 0 at rank_1.py:1: begins
    stuck  rank 0  MPI_Send to 1, tag 0 at rank_0.py:1: waits for rank 1
    stuck  rank 1  MPI_Send to 0, tag 0 at rank_1.py:1: waits for rank 0
    ");
}

#[test]
fn the_cures_are_clean() {
    exactly_clean(&trace(vec![vec![send(1), recv(1)], vec![recv(0), send(0)]]));
    exactly_clean(&trace(vec![vec![sendrecv(1, 1)], vec![sendrecv(0, 0)]]));
}

#[test]
fn the_other_estimate_comes_first() {
    let trace = trace(vec![
        vec![recv_any(1), recv(2)],
        vec![send(0)],
        vec![send(0)],
    ]);
    assert_eq!(deadlock(&trace).diverges, [(0, event(1))]);
    insta::assert_snapshot!(text(&trace), @r"
        1  rank 0  MPI_Recv from any, tag 0 at rank_0.py:1: begins
        2  rank 1  MPI_Send to 0, tag 0 at rank_1.py:1: begins
        3  rank 2  MPI_Send to 0, tag 0 at rank_2.py:1: begins
        4  rank 0  MPI_Recv from any, tag 0 at rank_0.py:1: takes the message of rank 2 (rank_2.py:1); in the recorded run it was another
        5  rank 0  MPI_Recv from 2, tag 0 at rank_0.py:2: begins
    stuck  rank 0  MPI_Recv from 2, tag 0 at rank_0.py:2: waits for rank 2
      and  rank 1  MPI_Send to 0, tag 0 at rank_1.py:1: waits for rank 0
    ");
}

#[test]
fn what_is_recorded_is_not_blamed_on_other_outcomes() {
    // With the recorded outcome alone the last two ranks can hang.
    let trace = trace(vec![
        vec![recv_any(1), recv_any(2), send(3), recv(3)],
        vec![send(0)],
        vec![send(0)],
        vec![send(0), recv(0)],
    ]);
    assert_eq!(deadlock(&trace).diverges, []);
}

#[test]
fn a_buffered_send_lets_another_overtake() {
    // Rank 1 goes on only if its first send is buffered; then rank 2's receive from anybody may take its second.
    let trace = trace(vec![
        vec![recv(2), recv(1)],
        vec![send(0), send(2)],
        vec![recv_any(3), send(0), recv(1)],
        vec![send(2)],
    ]);
    let witness = deadlock(&trace);
    assert!(
        witness
            .steps
            .iter()
            .any(|s| s.action == standoff_check::Action::Buffered)
    );
    assert_eq!(witness.diverges, [(2, event(1))]);
}

#[test]
fn a_root_may_leave_early() {
    let bcast = || collective(CollectiveKind::Bcast, Some(0), 0);
    let early = trace(vec![
        vec![bcast(), send(1)],
        vec![recv_any(2), bcast(), recv(0)],
        vec![send(1), bcast()],
    ]);
    let witness = deadlock(&early);
    assert!(
        witness
            .steps
            .iter()
            .any(|s| s.action == standoff_check::Action::LeftEarly)
    );
    let waits = trace(vec![vec![bcast(), send(1)], vec![recv(0), bcast()]]);
    assert_eq!(deadlock(&waits).core, [0, 1]);
}

#[test]
fn collectives_that_differ_hang() {
    let differ = |a, b| trace(vec![vec![a], vec![b]]);
    let barrier = || collective(CollectiveKind::Barrier, None, 0);
    let bcast = |root| collective(CollectiveKind::Bcast, Some(root), 0);
    assert_eq!(deadlock(&differ(barrier(), bcast(0))).core, [0, 1]);
    assert_eq!(deadlock(&differ(bcast(0), bcast(1))).core, [0, 1]);
    exactly_clean(&differ(bcast(1), bcast(1)));
}

fn farm() -> Trace {
    trace(vec![
        vec![recv_any(1), send(1), recv_any(2), send(2)],
        vec![send(0), recv(0)],
        vec![send(0), recv(0)],
    ])
}

#[test]
fn an_answer_follows_its_question() {
    let verdict = verdict(&farm());
    assert_eq!(
        verdict,
        Verdict::Clean(Scope::Bounded(vec![Bound::Follows]))
    );
    let model = Model::new(&farm(), &Options::default()).expect("the trace is whole");
    let found = model.alternatives();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].rank, found[0].event), (0, event(1)));
    assert_eq!(found[0].outcome, Outcome::Message { source: 2, tag: 0 });
}

#[test]
fn alternatives_are_of_all_kinds() {
    let any = |left: &[u64], from| complete(Completion::Waitany, left, &[(0, Some(matched(from)))]);
    let trace = trace(vec![
        vec![
            probe_any(1),
            irecv(None, 1),
            irecv(Some(2), 2),
            any(&[1, 2], 1),
            any(&[2], 2),
        ],
        vec![send(0)],
        vec![send(0)],
    ]);
    let model = Model::new(&trace, &Options::default()).expect("the trace is whole");
    let found: Vec<_> = model
        .alternatives()
        .into_iter()
        .map(|a| (a.event, a.outcome))
        .collect();
    let other = Outcome::Message { source: 2, tag: 0 };
    let second = Outcome::Requests {
        events: vec![event(3)],
    };
    assert_eq!(
        found,
        [
            (event(1), other.clone()),
            (event(2), other),
            (event(4), second)
        ]
    );
}

/// A receive is complete or not when `MPI_Waitsome` looks: every combination of those that could be.
#[test]
fn waitsome_may_tell_any_of_them_together() {
    let some =
        |left: &[u64], told: &[(u32, Option<Matched>)]| complete(Completion::Waitsome, left, told);
    let waits = |n: u32| {
        let mut master: Vec<_> = (1..=n).map(|i| irecv(Some(i), u64::from(i))).collect();
        let all: Vec<u64> = (1..=u64::from(n)).collect();
        master.push(some(&all, &(0..n).map(|i| (i, None)).collect::<Vec<_>>()));
        let mut ranks = vec![master];
        ranks.extend((0..n).map(|_| vec![send(0)]));
        Model::new(&trace(ranks), &Options::default()).expect("the trace is whole")
    };
    let told = |n: u32| {
        let all = waits(n).alternatives().into_iter();
        let sizes = all.map(|a| match a.outcome {
            Outcome::Requests { events } => events.len(),
            _ => 0,
        });
        sizes.collect::<Vec<_>>()
    };
    assert_eq!(told(3), [1, 1, 2, 1, 2, 2]);
    // All of seven were told; the combinations are not counted any more, which the scope says.
    assert_eq!(told(7), [1; 7]);
    let scope = |n| waits(n).search(&Options::default()).0;
    assert_eq!(scope(3), Verdict::Clean(Scope::RecordedControlFlow));
    assert_eq!(
        scope(7),
        Verdict::Clean(Scope::Bounded(vec![Bound::Together { rank: 0 }]))
    );
}

#[test]
fn certain_witnesses_need_no_other_outcome() {
    let options = Options {
        certain: true,
        ..Options::default()
    };
    let other = trace(vec![
        vec![recv_any(1), recv(2)],
        vec![send(0)],
        vec![send(0)],
    ]);
    let (verdict, _) = check(&other, &options).expect("the trace is whole");
    assert_eq!(
        verdict,
        Verdict::Clean(Scope::Bounded(vec![Bound::OtherOutcomes]))
    );
    let (verdict, _) = check(&farm(), &options).expect("the trace is whole");
    assert_eq!(
        verdict,
        Verdict::Clean(Scope::Bounded(vec![Bound::OtherOutcomes]))
    );
}

#[test]
fn with_fixed_arguments_the_answer_goes_astray() {
    let options = Options {
        follow: false,
        ..Options::default()
    };
    let (verdict, _) = check(&farm(), &options).expect("the trace is whole");
    assert!(matches!(verdict, Verdict::Deadlock(witness) if witness.diverges == [(0, event(1))]));
}

#[test]
fn a_receive_takes_what_the_probe_before_it_saw() {
    exactly_clean(&trace(vec![
        vec![probe_any(1), recv(1), probe_any(2), recv(2)],
        vec![send(0)],
        vec![send(0)],
    ]));
}

#[test]
fn any_completion_keeps_its_array() {
    let any = |left: &[u64], from| complete(Completion::Waitany, left, &[(0, Some(matched(from)))]);
    exactly_clean(&trace(vec![
        vec![
            irecv(Some(1), 1),
            irecv(Some(2), 2),
            any(&[1, 2], 1),
            any(&[2], 2),
        ],
        vec![send(0)],
        vec![send(0)],
    ]));
}

#[test]
fn isend_and_wait_is_a_send() {
    let both = |to| vec![isend(to, 1), waitall(&[1]), recv(to)];
    assert_eq!(deadlock(&trace(vec![both(1), both(0)])).core, [0, 1]);
    let cured = |to| vec![isend(to, 1), recv(to), waitall(&[1])];
    exactly_clean(&trace(vec![cured(1), cured(0)]));
}

#[test]
fn a_send_to_oneself_waits_for_oneself() {
    assert_eq!(deadlock(&trace(vec![vec![send(0), recv(0)]])).core, [0]);
    exactly_clean(&trace(vec![vec![
        irecv(Some(0), 1),
        send(0),
        waitall(&[1]),
    ]]));
}

#[test]
fn who_may_do_anything_makes_nobody_stuck() {
    let spawn = Event::Unmodelled {
        name: Cow::Borrowed("MPI_Comm_spawn"),
        acts: true,
    };
    let trace = trace(vec![vec![spawn], vec![recv(0)]]);
    let bound = Bound::Procedure {
        name: "MPI_Comm_spawn".to_owned(),
    };
    assert_eq!(verdict(&trace), Verdict::Clean(Scope::Bounded(vec![bound])));
}

#[test]
fn intercommunicators_name_the_other_side() {
    let inter = |local: u32, remote: u32| Event::Comm {
        index: CommIndex(1),
        id: CommId(2),
        name: Cow::Borrowed(""),
        group: Group::List(Cow::Owned(vec![WorldRank(local)])),
        remote: Some(Group::List(Cow::Owned(vec![WorldRank(remote)]))),
        sources: None,
    };
    let send = || {
        Event::Send(Send {
            comm: CommIndex(1),
            ..plain_send(0)
        })
    };
    let recv = || {
        Event::Recv(Recv {
            comm: CommIndex(1),
            ..plain_recv(Some(0))
        })
    };
    let both = vec![
        vec![inter(0, 1), send(), recv()],
        vec![inter(1, 0), send(), recv()],
    ];
    assert_eq!(deadlock(&trace(both)).core, [0, 1]);
    exactly_clean(&trace(vec![
        vec![inter(0, 1), send(), recv()],
        vec![inter(1, 0), recv(), send()],
    ]));
}

#[test]
fn a_nonblocking_barrier_waits_at_its_end() {
    let barrier = |request| {
        let mut event = collective(CollectiveKind::Barrier, None, 0);
        if let Event::Collective(c) = &mut event {
            c.request = Some(RequestId(request));
        }
        event
    };
    exactly_clean(&trace(vec![
        vec![barrier(1), send(1), waitall(&[1])],
        vec![recv(0), barrier(1), waitall(&[1])],
    ]));
    let early = trace(vec![
        vec![barrier(1), waitall(&[1]), send(1)],
        vec![recv(0), barrier(1), waitall(&[1])],
    ]);
    assert_eq!(deadlock(&early).core, [0, 1]);
    let differ = trace(vec![
        vec![barrier(1), waitall(&[1])],
        vec![collective(CollectiveKind::Barrier, None, 0)],
    ]);
    assert_eq!(deadlock(&differ).core, [0, 1]);
}

#[test]
fn asking_is_not_waiting() {
    let test = || complete(Completion::Test, &[1], &[(0, None)]);
    let ask = |peer| vec![isend(peer, 1), test(), recv(peer)];
    assert_eq!(
        verdict(&trace(vec![ask(1), ask(0)])),
        Verdict::Clean(Scope::Bounded(vec![Bound::Polls]))
    );
}

#[test]
fn a_record_that_ends_early_bounds_the_scope() {
    let mut trace = trace(vec![vec![recv(1)], vec![send(0)]]);
    trace.ranks[1].records.truncate(2);
    let bounds = vec![Bound::EndsEarly { rank: 1 }];
    assert_eq!(verdict(&trace), Verdict::Clean(Scope::Bounded(bounds)));
}

#[test]
fn many_senders_are_one() {
    let count = 40;
    let mut ranks = vec![(1..=count).map(recv_any).collect::<Vec<_>>()];
    ranks.extend((1..=count).map(|_| vec![send(0)]));
    let (verdict, effort) = check(&trace(ranks), &Options::default()).expect("the trace is whole");
    assert_eq!(verdict, Verdict::Clean(Scope::RecordedControlFlow));
    assert!(effort.states < 1000, "{effort:?}");
}

#[test]
fn the_budget_is_named() {
    // Two receives for each of several ranks whose later messages are asked for by name: no symmetry.
    let count = 14;
    let mut master: Vec<_> = (1..=count).map(recv_any).collect();
    master.extend((1..=count).map(recv));
    let mut ranks = vec![master];
    ranks.extend((1..=count).map(|_| vec![send(0), send(0)]));
    let options = Options {
        states: 50,
        follow: false,
        certain: false,
    };
    let (verdict, _) = check(&trace(ranks), &options).expect("the trace is whole");
    let bounded = Verdict::Clean(Scope::Bounded(vec![Bound::States { visited: 50 }]));
    assert!(
        verdict == bounded || matches!(verdict, Verdict::Deadlock(_)),
        "{verdict:?}"
    );
}

#[test]
fn what_is_wrong_without_hanging() {
    let signed = |count| {
        let mut event = collective(CollectiveKind::Allreduce, None, 0);
        if let Event::Collective(c) = &mut event {
            c.signature = Some(Signature {
                reduction: 1,
                basic: Basic::UNKNOWN,
                bytes: count,
            });
        }
        event
    };
    let trace = trace(vec![vec![signed(4), isend(1, 5)], vec![signed(5)]]);
    let model = Model::new(&trace, &Options::default()).expect("the trace is whole");
    let found = warnings(&trace, &model);
    assert!(matches!(
        found[0],
        Warning::Signature {
            kind: CollectiveKind::Allreduce,
            ..
        }
    ));
    let (rank, event) = (0, event(2));
    assert_eq!(
        found[1..],
        [
            Warning::NeverReceived { rank, event },
            Warning::NeverCompleted { rank, event }
        ]
    );
}

#[test]
fn unknown_requests_are_errors() {
    let trace = trace(vec![vec![waitall(&[3])]]);
    let error = check(&trace, &Options::default());
    assert!(matches!(
        error,
        Err(standoff_check::ReadError::Unknown { rank: 0, event: 2 })
    ));
}

/// The same answer once more, or once less, is no other execution.
#[test]
fn polls_have_alternatives() {
    let poll = |told: bool| Event::Complete {
        call: Completion::Test,
        requests: vec![RequestId(1)].into(),
        told: if told {
            Told::All(vec![].into())
        } else {
            Told::None
        },
    };
    let found = |polls: &[bool]| {
        let mut calls = vec![irecv(Some(1), 1)];
        calls.extend(polls.iter().map(|&told| poll(told)));
        let trace = trace(vec![calls, vec![send(0)]]);
        let model = Model::new(&trace, &Options::default()).expect("the trace is whole");
        assert!(model.asks());
        let found = model.alternatives().into_iter();
        found.map(|a| (a.event, a.outcome)).collect::<Vec<_>>()
    };
    assert_eq!(found(&[true]), [(event(2), Outcome::Found(false))]);
    assert_eq!(found(&[false]), [(event(2), Outcome::Found(true))]);
    assert_eq!(found(&[false, true]), []);
}

/// Detaching the buffer waits for what is in it; the buffered send itself does not.
#[test]
fn detaching_waits_for_buffered_sends() {
    let bsend = |to| {
        Event::Send(Send {
            mode: SendMode::Buffered,
            bytes: 100,
            ..plain_send(to)
        })
    };
    let attach = Event::Buffer { bytes: 200 };
    let detach = Event::Buffer { bytes: 0 };
    let rank = |other, calls: [Event<'static>; 2]| {
        let mut all = vec![attach.clone(), bsend(other)];
        all.extend(calls);
        all
    };
    let late = |other| rank(other, [detach.clone(), recv(other)]);
    let Verdict::Deadlock(witness) = verdict(&trace(vec![late(1), late(0)])) else {
        panic!("both wait to detach");
    };
    assert_eq!(witness.core, [0, 1]);
    assert_eq!(witness.stuck[0].event, event(3));
    let early = |other| rank(other, [recv(other), detach.clone()]);
    let clean = verdict(&trace(vec![late(1), early(0)]));
    assert_eq!(clean, Verdict::Clean(Scope::RecordedControlFlow));
    // Room for one.
    let two = vec![attach, bsend(1), bsend(1), detach];
    let clean = verdict(&trace(vec![two, vec![recv(0), recv(0)]]));
    let bound = Bound::Buffer { rank: 0, room: 200 };
    assert_eq!(clean, Verdict::Clean(Scope::Bounded(vec![bound])));
}
