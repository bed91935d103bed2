//! What people read.

use standoff_mpi::picture::{CollectiveKind as K, WorldRank};
use standoff_mpi::{Agent, Spelling, advise, describe, explain, format};

use crate::dsl::{ANY, Job, job};

fn said(job: &Job) -> (String, String) {
    let analysis = job.analyse();
    let finding = analysis
        .strict
        .first()
        .or(analysis.lenient.first())
        .expect("a finding");
    (
        explain(finding, &job.picture),
        advise(finding, &job.picture, Spelling::Objects, None).join("\n"),
    )
}

#[test]
fn lists_of_ranks() {
    assert_eq!(format::numbers([4, 2, 3, 7]), "2–4 and 7");
    assert_eq!(format::numbers([1, 2]), "1 and 2");
    assert_eq!(format::numbers([]), "");
    assert_eq!(format::numbers([u32::MAX, 0]), "0 and 4294967295");
    assert_eq!(format::numbers([7, 5, 1]), "1, 5 and 7");
    assert_eq!(
        format::numbers((0..256).map(|r| 2 * r)),
        "0, 2, 4, 6, …, 510 (256 in all)"
    );
    assert_eq!(
        format::numbers([u32::MAX - 2, u32::MAX - 1, u32::MAX]),
        "4294967293–4294967295"
    );
}

#[test]
fn the_opening_example() {
    let job = job(9)
        .recv(1, 5, ANY)
        .recv(5, 1, ANY)
        .finalized([0, 2, 3, 4, 6, 7, 8]);
    let (text, advice) = said(&job);
    assert_eq!(
        text,
        "Rank 1 waits to receive from rank 5 (any tag) and rank 5 waits to receive from rank 1 (any tag). \
         Each waits for the other, so neither can go on. Ranks 0, 2–4 and 6–8 have finished and sit in MPI_Finalize."
    );
    assert!(
        advice.contains("comm.sendrecv") && advice.contains("comm.irecv"),
        "{advice}"
    );
    assert!(
        advice.starts_with(
            "Ranks 1 and 5 each wait to receive, and neither has sent what the other waits for:"
        ),
        "{advice}"
    );
    let finding = job.deadlock(&[1, 5]);
    assert_eq!(
        describe(&finding.core[0], &job.picture),
        "rank 1 waits to receive from rank 5 (any tag)"
    );
}

#[test]
fn a_missing_rank() {
    let job = (0..512)
        .filter(|&r| r != 7)
        .fold(job(512), |j, r| j.coll(r, K::Allreduce, ANY))
        .finalized([7]);
    let (text, advice) = said(&job);
    assert_eq!(
        text,
        "Ranks 0–6 and 8–511 wait in MPI_Allreduce, which rank 7 has not entered. \
         Rank 7 already finished (MPI_Finalize) and can never do its part."
    );
    assert!(
        advice.contains("Let every rank of MPI_COMM_WORLD call MPI_Allreduce"),
        "{advice}"
    );
    assert!(advice.contains("Rank 7 finished without"), "{advice}");
}

#[test]
fn what_differs() {
    let (text, advice) = said(&job(2).flight(1, 0, 7, 1).recv(0, 1, 8).recv(1, 0, ANY));
    assert!(
        text.contains("Rank 1 did send rank 0 a message with tag 7, but rank 0 waits for tag 8."),
        "{text}"
    );
    assert!(advice.contains("use the same tag"), "{advice}");
    let (text, advice) = said(
        &job(2)
            .comm(9, &[1, 0])
            .on(9)
            .flight(1, 0, 7, 1)
            .on(1)
            .recv(0, 1, 7)
            .finalized([1]),
    );
    assert!(
        text.contains("is there on comm9, but rank 0 waits on MPI_COMM_WORLD"),
        "{text}"
    );
    assert!(advice.contains("use the same communicator"), "{advice}");
    let (text, advice) = said(&job(3).coll(0, K::Barrier, ANY).coll(1, K::Bcast, 0).coll(
        2,
        K::Bcast,
        0,
    ));
    assert!(text.contains("Collective number 1 on MPI_COMM_WORLD was MPI_Barrier on rank 0, but MPI_Bcast (root 0) on ranks 1 and 2."), "{text}");
    assert!(advice.contains("in the same order"), "{advice}");
    let (_, advice) = said(&job(2).coll(0, K::Bcast, 0).coll(1, K::Bcast, 1));
    assert!(advice.contains("the same root"), "{advice}");
    // What keeps the two apart is told once, from the side of the receive.
    let (text, advice) = said(&job(2).ssend(0, 1, 3).recv(1, 0, 4));
    assert!(
        text.contains("Rank 0 did send rank 1 a message with tag 3, but rank 1 waits for tag 4."),
        "{text}"
    );
    assert!(!text.contains("does receive"), "{text}");
    assert_eq!(advice.matches("the same tag").count(), 1, "{advice}");
}

#[test]
fn sends_in_a_circle() {
    let (text, advice) = said(&job(2).send(0, 1, 0).send(1, 0, 0));
    // The report says of each such finding what it assumes of this MPI; the explanation does not repeat it.
    assert!(!text.contains("this MPI"), "{text}");
    assert!(
        advice.contains("comm.isend") && advice.contains("buffers the message"),
        "{advice}"
    );
    let (_, advice) = said(&job(2).ssend(0, 1, 0).ssend(1, 0, 0));
    assert!(advice.contains("comm.ssend"), "{advice}");
    let (_, advice) = said(&job(2).recv(0, 0, 0));
    assert!(advice.contains("receives from itself"), "{advice}");
}

#[test]
fn threads_of_one_rank_are_named_together() {
    let (text, _) = said(&job(2).thread(0).recv(0, 1, 0).recv(0, 1, 0).recv(1, 0, 0));
    assert!(
        text.starts_with("Threads 0 and 1 of rank 0 wait to receive from rank 1 (tag 0) and"),
        "{text}"
    );
    let (text, _) = said(&job(2).thread(0).recv(0, 1, 0).recv(0, 1, 1).recv(1, 0, 0));
    assert!(text.starts_with("Rank 0 thread 0 waits"), "{text}");
    let agent = |rank, thread| Agent {
        rank: WorldRank(rank),
        thread,
    };
    assert_eq!(
        format::agents(&[agent(3, 2), agent(3, 0)]),
        "threads 0 and 2 of rank 3"
    );
    assert_eq!(
        format::agents(&[agent(3, 2), agent(1, 0), agent(3, 0)]),
        "ranks 1 and 3"
    );
    assert_eq!(format::agents(&[agent(3, 2)]), "rank 3");
}

#[test]
fn every_finding_has_advice_and_a_full_stop() {
    for job in [
        job(2).recv(0, ANY, 3).finalized([1]),
        job(2).irecv(0, 1, 3).waitall(0).finalized([1]),
        job(2)
            .irecv(0, 1, 3)
            .irecv(0, 1, 4)
            .irecv(0, 1, 5)
            .irecv(0, 1, 6)
            .waitany(0)
            .finalized([1]),
        job(2).coll(0, K::Barrier, ANY).recv(1, 0, 0),
        job(2).thread(0).recv(0, 1, 0).recv(0, 1, 1).recv(1, 0, 0),
    ] {
        let (text, advice) = said(&job);
        assert!(
            text.ends_with('.') && !advice.is_empty(),
            "{text}\n{advice}"
        );
    }
}

#[test]
fn a_collective_against_a_message() {
    let (text, advice) = said(&job(2).coll(0, K::Barrier, ANY).recv(1, 0, 0));
    assert_eq!(
        text,
        "Rank 0 waits in MPI_Barrier, which rank 1 has not entered; rank 1 waits to receive from rank 0 (tag 0). \
         Each waits for the other, so neither can go on."
    );
    assert!(
        advice.contains("move the collective") && !advice.contains("Let every rank"),
        "{advice}"
    );
}

/// mpi4py's own messages: nothing of tags and sources, and what it frees when a program ends is no call of the program's.
#[test]
fn private_communicators() {
    let private = |mut job: Job| {
        let comms = job.picture.ranks.iter_mut().flat_map(|r| &mut r.comms);
        for comm in comms.filter(|c| c.id.0 == 9) {
            comm.private = true;
        }
        job
    };
    let reduction = || {
        let job = job(3).comm(9, &[0, 1, 2]).on(9);
        job.flight(2, 0, 9, 1).recv(0, 1, 9).finalized([1])
    };
    let (text, advice) = said(&private(reduction()));
    assert!(
        text.starts_with(
            "Rank 0 waits for rank 1 to take part in a lower-case reduction of mpi4py on comm9."
        ),
        "{text}"
    );
    assert!(
        advice.contains("equally often") && !advice.contains("tag"),
        "{advice}"
    );
    // On a communicator of the program's own it is told.
    let (_, advice) = said(&reduction());
    assert!(
        advice.contains("the message with tag 9 came from rank 2"),
        "{advice}"
    );

    let freed = || {
        let job = job(3).comm(9, &[0, 1, 2]).on(9).coll(0, K::CommFree, ANY);
        job.coll(1, K::Bcast, 0).coll(2, K::Bcast, 0)
    };
    let (text, advice) = said(&private(freed()));
    assert!(text.contains("which rank 0 has not entered"), "{text}");
    assert!(!text.contains("Collective number"), "{text}");
    assert!(
        !advice.contains("in the same order on all its ranks"),
        "{advice}"
    );
    let (text, _) = said(&freed());
    assert!(
        text.contains("Collective number 1 on comm9 was MPI_Comm_free"),
        "{text}"
    );
}
