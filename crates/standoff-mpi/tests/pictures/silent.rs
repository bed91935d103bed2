//! Near misses: nothing may be found.

use standoff_mpi::picture::{
    CollectiveKind as K, CommId, Group, Need, Op, RankState, SendMode, Tags, Wait,
};

use crate::dsl::{ANY, Job, job};

/// Two ranks that would be deadlocked, were it not for what is changed.
fn pair() -> Job {
    job(3).recv(0, 1, 0).recv(1, 0, 0).finalized([2])
}

#[test]
fn the_pair_alone_is_deadlocked() {
    pair().deadlock(&[0, 1]);
}

#[test]
fn whatever_is_not_known_may_act() {
    pair().with(|p| p.ranks[0].moving = true).silent();
    pair()
        .with(|p| p.ranks[1].tainted = Some("MPI_Put".to_owned()))
        .silent();
    pair().state(1, RankState::NotJoined).silent();
    pair().state(1, RankState::Aborting).silent();
    pair().with(|p| p.ranks[1].other_threads = 1).silent();
    pair().thread(1).silent();
    pair().with(|p| p.ranks[1].comms.clear()).silent();
    pair().with(|p| p.ranks[1].ops.clear()).silent();
    pair().with(|p| p.ranks[1].ops[0].cancelled = true).silent();
    pair()
        .with(|p| p.ranks[0].comms[0].group = Group::Unknown)
        .silent();
    pair()
        .with(|p| p.ranks[0].comms[0].group = Group::List(vec![]))
        .silent();
    pair()
        .with(|p| p.ranks[0].threads[0].not_an_agent = true)
        .silent();
    pair().with(|p| p.ranks[0].threads.clear()).silent();
    pair()
        .with(|p| {
            if let Some(call) = &mut p.ranks[0].threads[0].call {
                call.wait = Wait::Free;
            }
        })
        .silent();
    pair()
        .with(|p| {
            if let Op::Recv { comm, .. } = &mut p.ranks[0].ops[0].op {
                *comm = None;
            }
        })
        .silent();
    pair()
        .flight(1, 0, 9, 1)
        .with(|p| p.unmatched[0].tags = Tags::Unknown)
        .silent();
}

#[test]
fn requests_that_are_not_known() {
    let unknown = |job: Job| {
        job.with(|p| {
            if let Some(call) = &mut p.ranks[0].threads[0].call
                && let Wait::Operations {
                    unknown_requests, ..
                } = &mut call.wait
            {
                *unknown_requests = 1;
            }
        })
    };
    unknown(job(2).irecv(0, 1, 0).waitany(0).finalized([1])).silent();
    unknown(job(2).irecv(0, 1, 0).waitall(0).finalized([1])).deadlock(&[0]);
    job(2).call(0, 0, "MPI_Waitany", Need::Any, vec![]).silent();
    job(2).call(0, 0, "MPI_Waitall", Need::All, vec![]).silent();
    job(2).call(0, 0, "MPI_Wait", Need::All, vec![99]).silent();
}

#[test]
fn messages_in_flight() {
    job(2)
        .flight(1, 0, 4, 1)
        .recv(0, 1, 4)
        .finalized([1])
        .silent();
    job(2)
        .flight(1, 0, 4, 1)
        .recv(0, ANY, ANY)
        .finalized([1])
        .silent();
    job(2)
        .flight(1, 0, 4, 1)
        .probe(0, ANY, 4)
        .finalized([1])
        .silent();
    job(2)
        .flight(1, 0, 4, 2)
        .irecv(0, 1, 4)
        .irecv(0, 1, 4)
        .waitall(0)
        .finalized([1])
        .silent();
    // A cancelled receive need not take the message.
    job(2)
        .flight(1, 0, 4, 1)
        .irecv(0, 1, 4)
        .with(|p| p.ranks[0].ops[0].cancelled = true)
        .recv(0, 1, 4)
        .finalized([1])
        .silent();
}

#[test]
fn a_wildcard_with_one_source_that_may_act() {
    job(4)
        .recv(0, ANY, ANY)
        .recv(1, 0, 0)
        .recv(2, 0, 0)
        .silent();
    job(4)
        .recv(0, ANY, ANY)
        .recv(1, 0, 0)
        .finalized([2])
        .with(|p| p.ranks[3].moving = true)
        .silent();
}

#[test]
fn sends_with_a_receive() {
    job(2).irecv(1, 0, 3).ssend(0, 1, 3).recv(1, 0, 9).silent();
    job(2)
        .irecv(1, ANY, ANY)
        .ssend(0, 1, 3)
        .recv(1, 0, 9)
        .silent();
    // Sent twice, received once: which of the two this is cannot be told.
    let two = job(2)
        .flight(0, 1, 3, 1)
        .irecv(1, 0, 3)
        .ssend(0, 1, 3)
        .recv(1, 0, 9);
    two.with(|p| {
        if let Op::Send {
            later_same_class, ..
        } = &mut p.ranks[0].ops[0].op
        {
            *later_same_class = None;
        }
    })
    .silent();
    // Already received.
    job(2)
        .ssend(0, 1, 3)
        .with(|p| p.unmatched.clear())
        .finalized([1])
        .silent();
    // A receive that may be for this communicator.
    job(2)
        .irecv(1, 0, 3)
        .with(|p| {
            if let Op::Recv { comm, .. } = &mut p.ranks[1].ops[0].op {
                *comm = None;
            }
        })
        .ssend(0, 1, 3)
        .recv(1, 0, 9)
        .silent();
    let buffered = job(2)
        .isend(0, 1, 3, SendMode::Buffered)
        .wait(0)
        .finalized([1]);
    buffered.silent();
}

#[test]
fn a_send_that_an_earlier_message_blocks_in_the_library() {
    // Rank 2 has yet to take a message of rank 0, which may be all that keeps rank 0's send from being buffered.
    job(3)
        .flight(0, 2, 0, 1)
        .send(0, 1, 0)
        .send(1, 0, 0)
        .silent();
    job(3)
        .flight(0, 2, 0, 1)
        .send(0, 1, 0)
        .send(1, 0, 0)
        .finalized([2])
        .may_deadlock(&[0, 1]);
}

#[test]
fn collectives_that_may_go_on() {
    // The root left early, and all have entered or may.
    job(3).past(0, K::Bcast, 0).coll(1, K::Bcast, 0).silent();
    job(3)
        .past(0, K::Bcast, 0)
        .finalized([0])
        .coll(1, K::Bcast, 0)
        .coll(2, K::Bcast, 0)
        .silent();
    // The root has entered, and may have to act for the data to move.
    job(3)
        .begin(0, K::Bcast, 0, false)
        .coll(1, K::Bcast, 0)
        .recv(2, 1, 0)
        .silent();
    // All entered, some have left.
    job(3)
        .past(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .past(2, K::Barrier, ANY)
        .recv(0, 1, 0)
        .finalized([2])
        .silent();
    // A leaf may leave before the others come.
    let leaf = job(3)
        .coll(1, K::Reduce, 0)
        .recv(0, 1, 0)
        .recv(2, 1, 0)
        .analyse();
    assert!(leaf.strict.is_empty());
    // What was called then is forgotten.
    let forgotten = job(2)
        .past(0, K::Bcast, 0)
        .coll(1, K::Bcast, 0)
        .with(|p| p.ranks[0].comms[0].history.clear());
    forgotten.finalized([0]).silent();
    // The communicator is gone there, so all its collectives are over.
    job(2)
        .comm(5, &[0, 1])
        .on(5)
        .coll(0, K::Barrier, ANY)
        .with(|p| p.ranks[1].comms.truncate(1))
        .finalized([1])
        .silent();
    // No data: nothing makes it wait.
    let empty = job(2).coll(0, K::Allreduce, ANY).finalized([1]).with(|p| {
        if let Op::Collective { data, .. } = &mut p.ranks[0].ops[0].op {
            *data = false;
        }
    });
    empty.may_deadlock(&[0]);
}

#[test]
fn another_thread_may_cancel_a_request() {
    let request = || job(2).irecv(0, 1, 0).waitall(0).finalized([1]);
    request().deadlock(&[0]);
    request().with(|p| p.ranks[0].other_threads = 1).silent();
    // But not a receive that is not a request.
    job(2)
        .recv(0, 1, 0)
        .finalized([1])
        .with(|p| p.ranks[0].other_threads = 1)
        .deadlock(&[0]);
}

#[test]
fn the_order_in_which_two_threads_post_is_not_known() {
    job(2)
        .thread(0)
        .flight(1, 0, 7, 1)
        .irecv(0, 1, 7)
        .recv(0, 1, 7)
        .finalized([1])
        .silent();
}

#[test]
fn groups_made_by_some() {
    let members = || {
        Some(Group::Strided {
            first: 0,
            stride: 1,
            len: 2,
        })
    };
    let some = |rank: u32, job: Job| {
        job.coll(rank, K::CommCreateGroup, ANY).with(|p| {
            if let Some(Op::Collective {
                members: m, seq, ..
            }) = p.ranks[rank as usize].ops.last_mut().map(|o| &mut o.op)
            {
                *m = members();
                *seq = 77;
            }
        })
    };
    some(0, some(1, job(3))).silent();
    some(0, job(3)).silent();
    some(0, job(3).finalized([1])).may_deadlock(&[0]);
    some(0, job(3).recv(1, 0, 0)).may_deadlock(&[0, 1]);
    job(2)
        .coll(0, K::IntercommCreate, ANY)
        .finalized([1])
        .silent();
}

/// A call that waits for several tells nothing of a send that a library may have buffered, as long as something else may be what it waits for.
#[test]
fn a_buffered_send_beside_what_is_still_to_come() {
    // Rank 2 is to take the message after the barrier. Rank 0 gets there when rank 1, which computes, has sent.
    let beside = |job: Job| {
        let job = job.isend(0, 2, 7, SendMode::Standard).waitall(0);
        job.coll(2, K::Barrier, -1)
    };
    beside(job(3).irecv(0, 1, 0)).silent();
    // It has sent, but a long message comes only while its sender is in MPI, too.
    beside(job(3).flight(1, 0, 0, 1).irecv(0, 1, 0)).silent();
    // As goes a long message to it, though it has posted the receive.
    beside(job(3).irecv(1, 0, 3).isend(0, 1, 3, SendMode::Standard)).silent();
    beside(job(3).irecv(0, ANY, 0)).silent();
    // Somebody in the reduction has come, and may not have sent its part.
    beside(
        job(3)
            .comm(5, &[0, 1])
            .on(5)
            .begin(0, K::Allreduce, -1, false)
            .begin(1, K::Allreduce, -1, false)
            .on(CommId::WORLD.0),
    )
    .silent();
    // Unless it is stuck as well.
    let stuck = |job: Job| job.recv(1, 0, 9);
    beside(stuck(job(3).irecv(0, 1, 0))).deadlock(&[0, 1]);
    beside(stuck(job(3).flight(1, 0, 0, 1).irecv(0, 1, 0))).may_deadlock(&[0, 1, 2]);
    // Of two sends one may be done already.
    let both = || {
        job(3)
            .isend(0, 1, 7, SendMode::Standard)
            .isend(0, 2, 7, SendMode::Standard)
            .waitall(0)
    };
    both().coll(2, K::Barrier, -1).silent();
    both()
        .coll(1, K::Barrier, -1)
        .coll(2, K::Barrier, -1)
        .may_deadlock(&[0, 1, 2]);
    // The same within one request.
    job(3)
        .isendrecv(0, (2, 7), (1, 0))
        .waitany(0)
        .coll(2, K::Barrier, -1)
        .silent();
    // And what is not known may be what it waits for.
    let opaque = |p: &mut standoff_mpi::picture::Picture| {
        p.ranks[0].ops[0].op = Op::Opaque;
    };
    beside(job(3).irecv(0, 1, 0)).with(opaque).silent();
}
