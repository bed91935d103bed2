//! Size: nothing may grow with the square of the ranks.

use rustix::time::{ClockId, clock_gettime};
use standoff_mpi::picture::CollectiveKind as K;

use crate::dsl::{ANY, Job, job};

/// Processor time of this thread so far, in nanoseconds.
fn spent() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Processor time of an analysis: the least of some, as caches are shared with who else is there.
fn cost(job: &Job) -> u64 {
    let one = |_| {
        let before = spent();
        let analysis = job.analyse();
        assert!(!analysis.is_empty());
        spent() - before
    };
    (0..7).map(one).min().unwrap_or_default()
}

/// Eight times the ranks may cost 40 times as much (logarithms, caches); a square would cost 64 times.
fn grows_about_linearly(what: &str, made: impl Fn(u32) -> Job) {
    let (few, many) = (cost(&made(1_250)), cost(&made(10_000)));
    println!("{what}: {} us, {} us", few / 1_000, many / 1_000);
    assert!(many < 40 * few, "{what}: {few} ns, {many} ns");
}

fn missing_one(ranks: u32, kind: K) -> Job {
    (1..ranks)
        .fold(job(ranks), |j, r| j.coll(r, kind, ANY))
        .finalized([0])
}

#[test]
fn an_allreduce_with_one_rank_missing() {
    grows_about_linearly("allreduce", |n| missing_one(n, K::Allreduce));
}

#[test]
fn what_the_library_may_let_go_and_wildcards_and_halves() {
    grows_about_linearly("scan", |n| {
        (1..n)
            .fold(job(n), |j, r| j.coll(r, K::Scan, ANY))
            .finalized([0])
    });
    grows_about_linearly("dup", |n| missing_one(n, K::CommDup));
    grows_about_linearly("wildcards", |n| {
        (0..n).fold(job(n), |j, r| j.recv(r, ANY, ANY))
    });
    grows_about_linearly("roots", |n| {
        (0..n).fold(job(n), |j, r| j.coll(r, K::Bcast, r as i32))
    });
    grows_about_linearly("halves", |n| {
        let half = (0..n / 2)
            .fold(job(n), |j, r| j.coll(r, K::Scan, ANY))
            .finalized([n - 1]);
        (n / 2..n).fold(half, |j, r| if r == n - 1 { j } else { j.recv(r, 0, 0) })
    });
    grows_about_linearly("ring", |n| {
        (0..n).fold(job(n), |j, r| j.recv(r, ((r + 1) % n) as i32, 0))
    });
}
