//! Persistent collectives: makings in order, starts in any; and `MPI_Isendrecv`, one request for two operations.

use standoff_mpi::picture::{CollectiveKind as K, RankState, Tags};
use standoff_mpi::{Finding, Reason, advise, explain};

use crate::dsl::{ANY, Job, job};

fn reasons(finding: &Finding) -> Vec<&Reason> {
    let ops = finding.core.iter().flat_map(|b| &b.ops);
    ops.map(|o| &o.reason).collect()
}

/// All have made a barrier and started it twice.
fn barrier(ranks: u32) -> Job {
    (0..ranks).fold(job(ranks), |job, rank| {
        job.makes(rank, K::Barrier, ANY).started(rank, 0, 2)
    })
}

#[test]
fn a_start_that_never_comes_is_waited_for_without_a_window() {
    let stuck = barrier(3).start(0, 0).start(1, 0).finalized([2]);
    let finding = stuck.deadlock(&[0, 1]);
    assert_eq!(finding.ended.len(), 1);
    assert!(!finding.has_may);
    let text = explain(&finding, &stuck.picture);
    assert!(
        text.contains("start 3 of a request of MPI_Barrier_init, which rank 2 has not started"),
        "{text}"
    );
}

#[test]
fn the_same_in_a_circle_with_a_message() {
    let stuck = barrier(2).start(0, 0).recv(1, 0, 5);
    stuck.deadlock(&[0, 1]);
    // Rank 1 is past it.
    barrier(2)
        .started(1, 0, 1)
        .start(0, 0)
        .recv(1, 0, 5)
        .silent();
}

#[test]
fn starts_have_no_order() {
    // Two barriers, of which each rank has started another first.
    let made = |job: Job, rank| {
        job.makes(rank, K::Barrier, ANY)
            .makes(rank, K::Barrier, ANY)
    };
    let both = (0..2).fold(job(2), made);
    let each = both.started(0, 1, 1).started(1, 0, 1);
    each.start(0, 0).start(1, 1).silent();
    // And of which one is started on one rank only.
    let one = (0..2).fold(job(2), made).start(0, 0).start(1, 1);
    one.deadlock(&[0, 1]);
}

#[test]
fn a_making_is_remembered_longer_than_collectives_are() {
    let forgotten = |p: &mut standoff_mpi::picture::Picture| {
        for rank in &mut p.ranks {
            rank.comms[0].collectives += 40;
            rank.comms[0].history.clear();
        }
    };
    let stuck = barrier(2).start(0, 0).recv(1, 0, 5).with(forgotten);
    stuck.deadlock(&[0, 1]);
}

#[test]
fn who_has_freed_its_request_and_forgotten_it_may_have_started_it() {
    let freed = |p: &mut standoff_mpi::picture::Picture| p.ranks[1].persistent.clear();
    barrier(2).start(0, 0).recv(1, 0, 5).with(freed).silent();
    // Not before the making.
    let before = job(2).makes(0, K::Barrier, ANY).start(0, 0).recv(1, 0, 5);
    before.deadlock(&[0, 1]);
}

#[test]
fn whatever_is_not_known_may_start_it() {
    let stuck = || barrier(3).start(0, 0).start(1, 0).recv(2, 0, 5);
    stuck().deadlock(&[0, 2]);
    stuck().with(|p| p.ranks[2].moving = true).silent();
    stuck()
        .with(|p| p.ranks[2].tainted = Some("MPI_Put".into()))
        .silent();
    stuck().state(2, RankState::NotJoined).silent();
    stuck().with(|p| p.ranks[2].comms.clear()).silent();
    stuck().with(|p| p.ranks[2].threads[0].call = None).silent();
}

#[test]
fn a_root_that_has_not_started_is_waited_for_and_a_leaf_may_be() {
    let bcast = |ranks| (0..ranks).fold(job(ranks), |job, rank| job.makes(rank, K::Bcast, 0));
    bcast(2).start(1, 0).recv(0, 1, 5).deadlock(&[0, 1]);
    bcast(2).start(0, 0).recv(1, 0, 5).may_deadlock(&[0, 1]);
    let elsewhere = bcast(3).start(0, 0).recv(1, 0, 5);
    elsewhere.silent();
}

#[test]
fn makings_that_differ_are_named() {
    let stuck = job(2)
        .makes(0, K::Barrier, ANY)
        .makes(1, K::Bcast, 0)
        .start(0, 0)
        .start(1, 0);
    let finding = stuck.may_deadlock(&[0, 1]);
    let text = explain(&finding, &stuck.picture);
    assert!(
        text.contains("MPI_Barrier_init on rank 0, but MPI_Bcast_init (root 0) on rank 1"),
        "{text}"
    );
    assert!(matches!(reasons(&finding)[0], Reason::Different { .. }));
    // A nonblocking one in the place of a making.
    let form = job(2)
        .makes(0, K::Barrier, ANY)
        .past_nonblocking(1, K::Barrier, ANY)
        .start(0, 0)
        .recv(1, 0, 5);
    let finding = form.may_deadlock(&[0, 1]);
    let text = explain(&finding, &form.picture);
    assert!(
        text.contains("MPI_Barrier_init on rank 0, but MPI_Ibarrier on rank 1"),
        "{text}"
    );
}

#[test]
fn a_making_may_wait_for_the_others_and_need_not() {
    let init = K::Allreduce.init().expect("there is one");
    job(2)
        .coll(0, init, ANY)
        .recv(1, 0, 5)
        .may_deadlock(&[0, 1]);
    job(3).coll(0, init, ANY).recv(1, 0, 5).silent();
    job(2).coll(0, init, ANY).coll(1, init, ANY).silent();
}

#[test]
fn the_advice_is_to_start_it() {
    let stuck = barrier(3).start(0, 0).start(1, 0).finalized([2]);
    let finding = stuck.deadlock(&[0, 1]);
    let advice = advise(
        &finding,
        &stuck.picture,
        standoff_mpi::Spelling::Native,
        None,
    );
    let asks = |a: &String| {
        a.contains("call MPI_Start for their request of MPI_Barrier_init: rank 2 did not")
    };
    assert!(advice.iter().any(asks), "{advice:?}");
}

#[test]
fn an_isendrecv_needs_both_halves() {
    // The message that it receives is there; nobody takes what it sends.
    let half = || {
        job(2)
            .flight(1, 0, 7, 1)
            .isendrecv(0, (1, 3), (1, 7))
            .recv(1, 0, 4)
    };
    half().wait_both(0).may_deadlock(&[0, 1]);
    half().waitany(0).may_deadlock(&[0, 1]);
    // Two requests instead of one: the receive alone is enough.
    half()
        .with(|p| p.ranks[0].ops.iter_mut().for_each(|o| o.half = None))
        .waitany(0)
        .silent();
}

#[test]
fn of_several_isendrecvs_one_that_may_be_complete_is_enough() {
    let two = |tag| {
        job(3)
            .flight(1, 0, 7, 1)
            .isendrecv(0, (1, 3), (1, 7))
            .flight(2, 0, 7, 1)
            .isendrecv(0, (2, 3), (2, 7))
            .waitany(0)
            .recv(1, 0, 4)
            .recv(2, 0, tag)
    };
    two(4).may_deadlock(&[0, 1, 2]);
    two(3).silent();
    // The receive of the one request there is must wait; that the send may go does not help.
    let crossed = job(3)
        .isendrecv(0, (1, 3), (1, 7))
        .waitany(0)
        .recv(1, 0, 4)
        .finalized([2]);
    crossed.deadlock(&[0, 1]);
    two(4)
        .with(|p| p.unmatched.iter_mut().for_each(|u| u.tags = Tags::Unknown))
        .silent();
}

#[test]
fn halves_that_do_not_name_each_other_are_two_requests() {
    job(2)
        .flight(1, 0, 7, 1)
        .isendrecv(0, (1, 3), (1, 7))
        .recv(1, 0, 4)
        .with(|p| p.ranks[0].ops[1].half = Some(77))
        .waitany(0)
        .silent();
}
