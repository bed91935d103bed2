//! Deadlocks, each with a cured twin.

use standoff_mpi::Reason;
use standoff_mpi::picture::{
    CollectiveKind as K, CommRank, Op, RankState, Root, SendMode, WorldRank,
};

use crate::dsl::{ANY, Job, job, victims};

#[test]
fn the_opening_example() {
    let rest = [0, 2, 3, 4, 6, 7, 8];
    let finding = job(9)
        .recv(1, 5, ANY)
        .recv(5, 1, ANY)
        .finalized(rest)
        .deadlock(&[1, 5]);
    assert_eq!(finding.cycle.len(), 2);
    assert_eq!(victims(&finding), rest);
    assert!(finding.ended.is_empty() && !finding.has_may);
    // One side sends first.
    job(9)
        .flight(5, 1, 0, 1)
        .recv(1, 5, ANY)
        .recv(5, 1, ANY)
        .finalized(rest)
        .silent();
}

#[test]
fn standard_sends_face_to_face_may_pass() {
    let both = || job(2).send(0, 1, 3).send(1, 0, 3);
    let finding = both().may_deadlock(&[0, 1]);
    assert!(finding.has_may && finding.core.iter().all(|b| b.ops[0].may));
    job(2).irecv(0, 1, 3).send(0, 1, 3).send(1, 0, 3).silent();
}

#[test]
fn synchronous_sends_face_to_face() {
    job(2).ssend(0, 1, 3).ssend(1, 0, 3).deadlock(&[0, 1]);
    job(2).ssend(0, 1, 3).recv(1, 0, 3).silent();
}

#[test]
fn a_partner_that_left() {
    let finding = job(3).recv(0, 2, 7).finalized([1, 2]).deadlock(&[0]);
    assert_eq!(finding.ended, [WorldRank(2)]);
    assert_eq!(victims(&finding), [1]);
    assert!(finding.cycle.is_empty());
    job(3)
        .flight(2, 0, 7, 1)
        .recv(0, 2, 7)
        .finalized([1, 2])
        .silent();
    let dead = job(2)
        .ssend(0, 1, 0)
        .state(1, RankState::Killed)
        .deadlock(&[0]);
    assert_eq!(dead.ended, [WorldRank(1)]);
}

#[test]
fn a_wildcard_receive_when_all_others_left() {
    let finding = job(4).recv(0, ANY, ANY).finalized([1, 2, 3]).deadlock(&[0]);
    assert_eq!(finding.ended.len(), 3);
    assert!(finding.cycle.is_empty());
    job(4).recv(0, ANY, ANY).finalized([1, 3]).silent();
}

#[test]
fn the_wrong_tag() {
    let finding = job(4)
        .flight(3, 0, 7, 1)
        .recv(0, 3, 8)
        .recv(3, 0, ANY)
        .deadlock(&[0, 3]);
    assert!(
        matches!(&finding.core[0].ops[0].reason, Reason::TagDiffers { sent } if sent[0].tag == 7)
    );
    job(4)
        .flight(3, 0, 8, 1)
        .recv(0, 3, 8)
        .recv(3, 0, ANY)
        .silent();
}

#[test]
fn the_wrong_source() {
    let finding = job(4)
        .flight(2, 0, 7, 1)
        .recv(0, 3, 7)
        .recv(3, 0, ANY)
        .deadlock(&[0, 3]);
    assert!(
        matches!(&finding.core[0].ops[0].reason, Reason::OtherSource { sent } if sent[0].from == WorldRank(2))
    );
    // That message is another receive's.
    let finding = job(4)
        .flight(2, 0, 7, 1)
        .irecv(0, 2, 7)
        .recv(0, 3, 7)
        .recv(3, 0, ANY)
        .deadlock(&[0, 3]);
    assert_eq!(finding.core[0].ops[0].reason, Reason::NothingSent);
}

#[test]
fn the_wrong_destination() {
    let wrong = || job(4).flight(3, 1, 7, 1).recv(0, 3, 7).recv(3, 0, ANY);
    let finding = wrong().finalized([1]).deadlock(&[0, 3]);
    assert!(
        matches!(&finding.core[0].ops[0].reason, Reason::OtherDestination { sent } if sent[0].to == WorldRank(1))
    );
    // Rank 1 may still take it.
    let reason = |job: Job| job.deadlock(&[0, 3]).core[0].ops[0].reason.clone();
    assert_eq!(reason(wrong()), Reason::NothingSent);
    let any_tag = job(4).flight(3, 1, 7, 1).recv(0, 3, ANY).recv(3, 0, ANY);
    assert_eq!(reason(any_tag.recv(1, 2, 9)), Reason::NothingSent);
}

#[test]
fn the_wrong_communicator() {
    let finding = job(2)
        .comm(9, &[1, 0])
        .on(9)
        .flight(1, 0, 7, 1)
        .on(1)
        .recv(0, 1, 7)
        .finalized([1])
        .deadlock(&[0]);
    assert!(
        matches!(&finding.core[0].ops[0].reason, Reason::OtherCommunicator { comms } if comms[0].1 == "comm9")
    );
}

#[test]
fn earlier_receives_claim_the_only_message() {
    let finding = job(2)
        .flight(1, 0, 7, 1)
        .irecv(0, 1, 7)
        .recv(0, 1, 7)
        .finalized([1])
        .deadlock(&[0]);
    assert_eq!(finding.core[0].ops[0].reason, Reason::Claimed);
    job(2)
        .flight(1, 0, 7, 2)
        .irecv(0, 1, 7)
        .recv(0, 1, 7)
        .finalized([1])
        .silent();
    job(2)
        .flight(1, 0, 7, 1)
        .irecv(0, 1, ANY)
        .recv(0, 1, 7)
        .finalized([1])
        .deadlock(&[0]);
    job(2)
        .flight(1, 0, 7, 1)
        .irecv(0, ANY, 7)
        .recv(0, ANY, ANY)
        .finalized([1])
        .deadlock(&[0]);
    // The earlier receive may take something else, and this one the message.
    job(2)
        .flight(1, 0, 7, 1)
        .flight(1, 0, 8, 1)
        .irecv(0, 1, ANY)
        .recv(0, 1, 7)
        .finalized([1])
        .silent();
    job(3)
        .flight(1, 0, 7, 1)
        .irecv(0, ANY, ANY)
        .recv(0, 1, 7)
        .finalized([1])
        .silent();
}

#[test]
fn messages_to_oneself() {
    let finding = job(2).recv(1, 1, 0).deadlock(&[1]);
    assert_eq!(finding.cycle.len(), 1);
    job(2).ssend(1, 1, 0).deadlock(&[1]);
    job(2).send(1, 1, 0).may_deadlock(&[1]);
    job(2).irecv(1, 1, 0).ssend(1, 1, 0).silent();
}

#[test]
fn waits_for_requests() {
    job(2)
        .irecv(0, 1, 0)
        .waitall(0)
        .irecv(1, 0, 0)
        .waitany(1)
        .deadlock(&[0, 1]);
    job(3)
        .irecv(0, 1, 0)
        .irecv(0, 2, 0)
        .waitany(0)
        .irecv(1, 0, 0)
        .wait(1)
        .silent();
    job(3)
        .irecv(0, 1, 0)
        .irecv(0, 2, 0)
        .waitall(0)
        .irecv(1, 0, 0)
        .wait(1)
        .deadlock(&[0, 1]);
    job(2)
        .isend(0, 1, 0, SendMode::Synchronous)
        .wait(0)
        .finalized([1])
        .deadlock(&[0]);
    job(2).probe(0, 1, 4).probe(1, 0, 4).deadlock(&[0, 1]);
}

#[test]
fn a_collective_that_a_rank_does_not_reach() {
    for (kind, root) in [
        (K::Barrier, ANY),
        (K::Allreduce, ANY),
        (K::Bcast, 2),
        (K::Alltoall, ANY),
    ] {
        let finding = job(3)
            .coll(0, kind, root)
            .coll(1, kind, root)
            .finalized([2])
            .deadlock(&[0, 1]);
        assert_eq!(finding.ended, [WorldRank(2)], "{kind:?}");
        assert!(finding.cycle.is_empty());
        job(3)
            .coll(0, kind, root)
            .coll(1, kind, root)
            .coll(2, kind, root)
            .silent();
        job(3).coll(0, kind, root).coll(1, kind, root).silent();
    }
    // The library may let these go.
    for (kind, root) in [
        (K::Bcast, 0),
        (K::CommDup, ANY),
        (K::Allgatherv, ANY),
        (K::Reduce, 2),
    ] {
        let finding = job(3)
            .coll(0, kind, root)
            .coll(1, kind, root)
            .finalized([2])
            .may_deadlock(&[0, 1]);
        assert_eq!(finding.ended, [WorldRank(2)], "{kind:?}");
    }
}

#[test]
fn a_rank_stuck_elsewhere_is_the_cause_and_the_collective_is_behind_it() {
    let finding = job(4)
        .coll(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .recv(2, 3, 0)
        .recv(3, 2, 0)
        .deadlock(&[2, 3]);
    assert_eq!(victims(&finding), [0, 1]);
    let finding = job(3)
        .coll(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .recv(2, 0, 0)
        .deadlock(&[0, 2]);
    assert_eq!(victims(&finding), [1]);
    // The same with a wait that the library may let go: what is blamed is who is missing.
    let finding = job(4)
        .coll(0, K::CommDup, ANY)
        .coll(1, K::CommDup, ANY)
        .ssend(2, 3, 0)
        .ssend(3, 2, 0)
        .analyse();
    assert_eq!(finding.strict.len(), 1);
    let lenient = &finding.lenient[0];
    assert_eq!((lenient.core.len(), victims(lenient)), (2, vec![0, 1]));
}

#[test]
fn collectives_that_differ() {
    let finding = job(3)
        .coll(0, K::Barrier, ANY)
        .coll(1, K::Bcast, 0)
        .coll(2, K::Bcast, 0)
        .may_deadlock(&[0, 1, 2]);
    assert_eq!(finding.mismatches.len(), 1);
    assert_eq!(finding.mismatches[0].variants.len(), 2);
    let finding = job(3)
        .coll(0, K::Bcast, 0)
        .coll(1, K::Bcast, 1)
        .coll(2, K::Bcast, 2)
        .may_deadlock(&[0, 1, 2]);
    assert_eq!(finding.mismatches[0].variants.len(), 3);
    let finding = job(2)
        .coll(0, K::Barrier, ANY)
        .begin(1, K::Barrier, ANY, false)
        .wait(1)
        .may_deadlock(&[0, 1]);
    assert_eq!(finding.mismatches[0].variants.len(), 2);
    // Every rank is its own root: linear all the same.
    let many = (0..40).fold(job(40), |job, rank| job.coll(rank, K::Bcast, rank as i32));
    assert_eq!(
        many.may_deadlock(&(0..40).collect::<Vec<_>>()).mismatches[0]
            .variants
            .len(),
        40
    );
}

#[test]
fn scan_waits_for_lower_ranks_only() {
    let finding = job(3)
        .coll(1, K::Scan, ANY)
        .coll(2, K::Scan, ANY)
        .recv(0, 1, 0)
        .deadlock(&[0, 1]);
    assert_eq!(victims(&finding), [2]);
    job(3)
        .coll(0, K::Scan, ANY)
        .coll(1, K::Scan, ANY)
        .may_deadlock_none();
}

#[test]
fn communicators_whose_ranks_are_permuted() {
    // On comm 5, ranks 0, 1, 2 are world ranks 3, 1, 2.
    let finding = job(4)
        .comm(5, &[3, 1, 2])
        .on(5)
        .recv(1, 0, 0)
        .recv(3, 1, 0)
        .deadlock(&[1, 3]);
    assert_eq!(finding.cycle.len(), 2);
    job(4)
        .comm(5, &[3, 1, 2])
        .on(5)
        .recv(1, 0, 0)
        .recv(3, 2, 0)
        .silent();
    let finding = job(4)
        .comm(5, &[3, 1, 2])
        .on(5)
        .coll(1, K::Bcast, 0)
        .coll(2, K::Bcast, 0)
        .finalized([3])
        .deadlock(&[1, 2]);
    assert_eq!(finding.ended, [WorldRank(3)]);
}

#[test]
fn intercommunicators() {
    let inter = || job(4).intercomm(7, &[0, 1], &[2, 3]).on(7);
    inter().recv(0, 1, 0).recv(3, 0, 0).deadlock(&[0, 3]);
    inter().recv(0, 0, 0).recv(3, 0, 0).silent();
    inter().recv(0, ANY, 0).finalized([2, 3]).deadlock(&[0]);
    inter()
        .coll(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .coll(2, K::Barrier, ANY)
        .finalized([3])
        .may_deadlock(&[0, 1, 2]);
    let all = inter()
        .coll(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .coll(2, K::Barrier, ANY);
    all.coll(3, K::Barrier, ANY).silent();
}

#[test]
fn roots_on_an_intercommunicator() {
    use standoff_mpi::picture::Root::{Me, Null};
    let rank = |r| Root::Rank(CommRank(r));
    let bcast = |roots: [Root; 4]| {
        let mut all = job(4).intercomm(7, &[0, 1], &[2, 3]).on(7);
        for r in 0..4 {
            all = all.coll(r, K::Bcast, 0);
        }
        all.with(|picture| {
            for (rank, root) in picture.ranks.iter_mut().zip(roots) {
                for op in &mut rank.ops {
                    if let Op::Collective { root: given, .. } = &mut op.op {
                        *given = root;
                    }
                }
            }
        })
    };
    bcast([Null, Me, rank(1), rank(1)]).silent();
    bcast([rank(0), rank(0), Me, Null]).silent();
    // Its own number instead of MPI_ROOT.
    let finding = bcast([rank(0), Null, rank(0), rank(0)]).may_deadlock(&[0, 1, 2, 3]);
    assert!(finding.mismatches[0].intercomm);
    bcast([Null, Null, rank(0), rank(0)]).may_deadlock(&[0, 1, 2, 3]);
    bcast([Me, Me, rank(0), rank(0)]).may_deadlock(&[0, 1, 2, 3]);
    bcast([Me, Null, rank(1), rank(1)]).may_deadlock(&[0, 1, 2, 3]);
    bcast([rank(0), rank(0), rank(0), rank(0)]).may_deadlock(&[0, 1, 2, 3]);
    bcast([Null, Null, Null, Null]).may_deadlock(&[0, 1, 2, 3]);
}

#[test]
fn threads_of_one_rank() {
    // Both threads of rank 0 are stuck: so is who waits for the rank.
    let both = || job(2).thread(0).recv(0, 1, 0).recv(0, 1, 1).recv(1, 0, 0);
    assert_eq!(both().analyse().strict[0].core.len(), 3);
    job(2).thread(0).recv(0, 1, 0).recv(1, 0, 0).silent();
    // One thread waits for a message that the other is to send, which waits for the first.
    job(1)
        .thread(0)
        .recv(0, 0, 0)
        .recv(0, 0, 1)
        .deadlock(&[0, 0]);
    job(1).thread(0).recv(0, 0, 0).ssend(0, 0, 0).silent();
}

#[test]
fn independent_cores_are_separate_findings() {
    let analysis = job(4)
        .recv(0, 1, 0)
        .recv(1, 0, 0)
        .recv(2, 3, 0)
        .recv(3, 2, 0)
        .analyse();
    assert_eq!(analysis.strict.len(), 2);
    assert_eq!(analysis.strict[0].closure.len(), 2);
}

impl crate::dsl::Job {
    /// Rank 2 has yet to come.
    fn may_deadlock_none(self) {
        self.silent();
    }
}

#[test]
fn an_edge_that_only_one_side_has() {
    // Rank 1 expects data of rank 0, which has left the collective and waits for rank 1.
    let edges = |twice: &[u32]| {
        job(2)
            .edges(0, &[1], twice)
            .edges(1, &[0, 0], &[0])
            .past(0, K::NeighborAllgather, ANY)
            .coll(1, K::NeighborAllgather, ANY)
            .coll(0, K::Barrier, ANY)
    };
    let finding = edges(&[1]).may_deadlock(&[0, 1]);
    let Reason::EdgeMissing {
        sources,
        destinations,
    } = &finding.core[1].ops[0].reason
    else {
        panic!("{finding:#?}");
    };
    assert_eq!(
        (&sources[..], &destinations[..]),
        (&[WorldRank(0)][..], &[][..])
    );
    // Both have it, as often.
    edges(&[1, 1]).silent();
    // What the other side has is not known.
    edges(&[1])
        .with(|p| p.ranks[0].comms[0].neighbours = None)
        .silent();
    // It may act, or may yet call something.
    edges(&[1])
        .with(|p| p.ranks[0].tainted = Some("one-sided".to_owned()))
        .silent();
    edges(&[1])
        .with(|p| p.ranks[0].threads[0].call = None)
        .silent();
    // A collective that goes along no edges.
    job(2)
        .edges(0, &[], &[])
        .edges(1, &[0], &[])
        .past(0, K::Bcast, 0)
        .coll(1, K::Bcast, 0)
        .coll(0, K::Barrier, ANY)
        .silent();
}

#[test]
fn a_send_to_a_neighbour_that_does_not_take_it() {
    let finding = job(2)
        .edges(0, &[], &[])
        .edges(1, &[], &[0])
        .past(0, K::NeighborAlltoall, ANY)
        .coll(1, K::NeighborAlltoall, ANY)
        .finalized([0])
        .may_deadlock(&[1]);
    assert!(
        matches!(&finding.core[0].ops[0].reason, Reason::EdgeMissing { destinations, .. } if destinations[..] == [WorldRank(0)])
    );
}

#[test]
fn the_form_of_a_collective_that_is_over_is_known() {
    // MPI_Ibarrier came back on rank 0, and rank 1 waits in an MPI_Barrier that nobody answers.
    let finding = job(2)
        .past_nonblocking(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .recv(0, 1, 0)
        .may_deadlock(&[0, 1]);
    let called = finding.mismatches[0].variants.iter();
    let called: Vec<bool> = called.map(|v| v.blocking).collect();
    assert_eq!(called, [false, true]);
    // The same form: rank 1 is about to go on.
    job(2)
        .past(0, K::Barrier, ANY)
        .coll(1, K::Barrier, ANY)
        .recv(0, 1, 0)
        .silent();
}

#[test]
fn a_forced_wildcard_takes_what_a_later_receive_names() {
    let posted = || job(3).flight(1, 0, 1, 1).flight(2, 0, 5, 1);
    let after = |job: Job| job.recv(0, 2, 5).finalized([1, 2]);
    let finding = after(posted().irecv(0, ANY, ANY).chosen(0, 2)).deadlock(&[0]);
    assert_eq!(finding.ended, [WorldRank(2)]);
    // Not forced, forced to the other message, and with one more message.
    after(posted().irecv(0, ANY, ANY)).silent();
    after(posted().irecv(0, ANY, ANY).chosen(0, 1)).silent();
    after(posted().flight(2, 0, 5, 1).irecv(0, ANY, ANY).chosen(0, 2)).silent();
    // What it waits for itself is what the program asked for.
    posted()
        .irecv(0, ANY, ANY)
        .chosen(0, 2)
        .wait(0)
        .finalized([1, 2])
        .silent();
}

#[test]
fn a_forced_wildcard_without_its_message_may_take_any_other() {
    // Rank 1 waits for a receive of its message, and rank 0 for another one of rank 1.
    let job = || {
        job(3)
            .irecv(0, ANY, ANY)
            .chosen(0, 2)
            .recv(0, 1, 9)
            .ssend(1, 0, 1)
    };
    job().finalized([2]).silent();
    job().flight(2, 0, 5, 1).finalized([2]).deadlock(&[0, 1]);
    // An earlier receive takes the message of rank 2, and the wildcard is free for that of rank 1.
    let earlier = |from| {
        let job = crate::dsl::job(3).flight(2, 0, 5, 1).irecv(0, from, 5);
        let job = job.irecv(0, ANY, ANY).chosen(0, 2).recv(0, 1, 9);
        job.ssend(1, 0, 1).finalized([2])
    };
    earlier(2).silent();
    earlier(ANY).silent();
}
