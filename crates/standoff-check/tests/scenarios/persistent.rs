//! Persistent collectives, and `MPI_Isendrecv`.

use standoff_trace::Event;
use standoff_trace::event::*;

use crate::dsl::*;
use crate::{deadlock, exactly_clean, text};

fn made(kind: CollectiveKind, root: Option<u32>, seq: u64) -> Event<'static> {
    collective(kind, root, seq)
}

#[test]
fn starts_may_come_in_another_order_on_each_rank() {
    let rank = |first: u64| {
        let second = 1 - first;
        vec![
            made(CollectiveKind::BarrierInit, None, 0),
            made(CollectiveKind::BarrierInit, None, 1),
            started(CollectiveKind::Barrier, None, first, 0, 1),
            started(CollectiveKind::Barrier, None, second, 0, 2),
            waitall(&[1, 2]),
            started(CollectiveKind::Barrier, None, second, 1, 3),
            waitall(&[3]),
            started(CollectiveKind::Barrier, None, first, 1, 4),
            waitall(&[4]),
        ]
    };
    // The order in which they are waited for is the same on both.
    exactly_clean(&trace(vec![rank(0), rank(0)]));
    let crossed = trace(vec![rank(0), rank(1)]);
    assert_eq!(deadlock(&crossed).core, [0, 1]);
}

#[test]
fn a_message_that_comes_after_a_start() {
    let barrier = |order: [Event<'static>; 2]| {
        let made = made(CollectiveKind::BarrierInit, None, 0);
        let start = started(CollectiveKind::Barrier, None, 0, 0, 1);
        let [first, second] = order;
        vec![made, start, first, second]
    };
    let wait = || waitall(&[1]);
    let bad = trace(vec![
        barrier([wait(), send(1)]),
        vec![
            made(CollectiveKind::BarrierInit, None, 0),
            recv(0),
            started(CollectiveKind::Barrier, None, 0, 0, 1),
            wait(),
        ],
    ]);
    assert_eq!(deadlock(&bad).core, [0, 1]);
    assert!(
        text(&bad).contains("MPI_Start of MPI_Barrier_init"),
        "{}",
        text(&bad)
    );
    exactly_clean(&trace(vec![
        barrier([send(1), wait()]),
        barrier([recv(0), wait()]),
    ]));
}

#[test]
fn a_making_need_not_wait_and_may() {
    // The receive comes only if the making lets rank 0 go.
    let init = || made(CollectiveKind::AllreduceInit, None, 0);
    let found = deadlock(&trace(vec![vec![init(), send(1)], vec![recv(0), init()]]));
    assert_eq!(found.core, [0, 1]);
    exactly_clean(&trace(vec![vec![init(), send(1)], vec![init(), recv(0)]]));
}

#[test]
fn starts_of_what_was_made_differently_never_end() {
    let rank = |init, kind, root| {
        vec![
            made(init, root, 0),
            started(kind, root, 0, 0, 1),
            waitall(&[1]),
        ]
    };
    let (barrier, bcast) = (CollectiveKind::Barrier, CollectiveKind::Bcast);
    let ranks = vec![
        rank(CollectiveKind::BarrierInit, barrier, None),
        rank(CollectiveKind::BcastInit, bcast, Some(0)),
    ];
    assert_eq!(deadlock(&trace(ranks)).core, [0, 1]);
}

#[test]
fn an_exchange_with_one_request() {
    let both = |other: u32| vec![isendrecv(other, other, 1), waitall(&[1, 2])];
    exactly_clean(&trace(vec![both(1), both(0)]));
    // Its send is complete only when it is received.
    let late = vec![recv(0), send(0)];
    let found = trace(vec![both(1), late.clone()]);
    exactly_clean(&found);
    let waits = vec![isendrecv(1, 1, 1), waitall(&[1, 2]), send(1)];
    let second = vec![send(0), recv(0), recv(0)];
    exactly_clean(&trace(vec![waits.clone(), second]));
    let swapped = vec![recv(0), recv(0), send(0)];
    assert_eq!(deadlock(&trace(vec![waits, swapped])).core, [0, 1]);
    let found = text(&trace(vec![both(1), vec![recv(0), recv(0)]]));
    assert!(
        found.contains("MPI_Isendrecv to 1, tag 0, from 1, tag 0"),
        "{found}"
    );
}
