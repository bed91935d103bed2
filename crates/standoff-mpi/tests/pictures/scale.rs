//! Size: nothing may grow with the square of the ranks.

use std::time::{Duration, Instant};

use standoff_mpi::picture::CollectiveKind as K;

use crate::dsl::{ANY, Job, job};

/// The best of some runs, so that a busy machine does not decide.
fn time(job: &Job) -> Duration {
    let one = |_| {
        let start = Instant::now();
        let analysis = job.analyse();
        assert!(!analysis.is_empty());
        start.elapsed()
    };
    (0..7).map(one).min().unwrap_or_default()
}

fn missing_one(ranks: u32, kind: K) -> Job {
    (1..ranks)
        .fold(job(ranks), |j, r| j.coll(r, kind, ANY))
        .finalized([0])
}

#[test]
fn an_allreduce_with_one_rank_missing() {
    for (ranks, limit) in [(512, 5), (10_000, 200)] {
        let took = time(&missing_one(ranks, K::Allreduce));
        println!("{ranks} ranks: {took:?}");
        assert!(took < Duration::from_millis(limit), "{ranks}: {took:?}");
    }
}

#[test]
fn what_the_library_may_let_go_and_wildcards_and_halves() {
    let n = 10_000;
    let limit = Duration::from_millis(400);
    let half = (0..n / 2)
        .fold(job(n), |j, r| j.coll(r, K::Scan, ANY))
        .finalized([n - 1]);
    for (what, job) in [
        (
            "scan",
            (1..n)
                .fold(job(n), |j, r| j.coll(r, K::Scan, ANY))
                .finalized([0]),
        ),
        ("dup", missing_one(n, K::CommDup)),
        ("wildcards", (0..n).fold(job(n), |j, r| j.recv(r, ANY, ANY))),
        (
            "roots",
            (0..n).fold(job(n), |j, r| j.coll(r, K::Bcast, r as i32)),
        ),
        (
            "halves",
            (n / 2..n).fold(half, |j, r| if r == n - 1 { j } else { j.recv(r, 0, 0) }),
        ),
        (
            "ring",
            (0..n).fold(job(n), |j, r| j.recv(r, ((r + 1) % n) as i32, 0)),
        ),
    ] {
        let took = time(&job);
        println!("{what}: {took:?}");
        assert!(took < limit, "{what}: {took:?}");
    }
}
