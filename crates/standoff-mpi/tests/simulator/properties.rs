//! What must hold between the analysis and the simulator.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use standoff_mpi::{Finding, analyse};

use crate::model::{Do, Job, Library};

/// Which instructions to draw from.
#[derive(Clone, Copy)]
struct Draw {
    wildcards: bool,
    threads: bool,
    collectives: bool,
}

fn instruction(comms: Vec<Vec<usize>>, rank: usize, draw: Draw, main: bool) -> BoxedStrategy<Do> {
    let mine: Vec<usize> = (0..comms.len())
        .filter(|&c| comms[c].contains(&rank))
        .collect();
    let sizes: Vec<usize> = comms.iter().map(Vec::len).collect();
    let wild = if draw.wildcards { 3_u8 } else { 0 };
    let collective = if draw.collectives && main { 5_u8 } else { 0 };
    (
        0_u8..14 + collective,
        prop::sample::select(mine),
        any::<u8>(),
        0..2,
        0..4_u8,
        0..4_u8,
    )
        .prop_map(move |(what, comm, peer, tag, any_source, any_tag)| {
            let peer = usize::from(peer) % sizes[comm];
            let from = (any_source >= wild).then_some(peer);
            let any_tag = (any_tag >= wild).then_some(tag);
            match what {
                0 | 1 => Do::Send {
                    comm,
                    to: peer,
                    tag,
                    sync: false,
                    blocking: true,
                },
                2 => Do::Send {
                    comm,
                    to: peer,
                    tag,
                    sync: true,
                    blocking: true,
                },
                3 => Do::Send {
                    comm,
                    to: peer,
                    tag,
                    sync: false,
                    blocking: false,
                },
                4 => Do::Send {
                    comm,
                    to: peer,
                    tag,
                    sync: true,
                    blocking: false,
                },
                5..=7 => Do::Recv {
                    comm,
                    from,
                    tag: any_tag,
                    blocking: true,
                },
                8 | 9 => Do::Recv {
                    comm,
                    from,
                    tag: any_tag,
                    blocking: false,
                },
                10 => Do::Probe {
                    comm,
                    from,
                    tag: any_tag,
                },
                11 => Do::Wait { any: false },
                12 => Do::Wait { any: true },
                13 => Do::WaitOldest,
                14 => Do::Barrier {
                    comm,
                    blocking: tag == 0,
                },
                15 => Do::Bcast {
                    comm,
                    root: peer.min(1),
                },
                16 => Do::Allreduce { comm },
                17 => Do::Reduce {
                    comm,
                    root: peer.min(1),
                },
                _ => Do::Scan { comm },
            }
        })
        .boxed()
}

fn job(draw: Draw) -> impl Strategy<Value = Job> {
    (2_usize..=4, any::<bool>())
        .prop_flat_map(move |(size, second)| {
            // The second communicator leaves rank 0 out when it can, and counts downwards.
            let low = usize::from(size > 2);
            let mut comms = vec![(0..size).collect::<Vec<_>>()];
            if second {
                comms.push((low..size).rev().collect());
            }
            let programs: Vec<_> = (0..size)
                .map(|rank| {
                    let main =
                        prop::collection::vec(instruction(comms.clone(), rank, draw, true), 0..5);
                    let side =
                        prop::collection::vec(instruction(comms.clone(), rank, draw, false), 0..3);
                    (main, side, 0..4_u8).prop_map(move |(main, side, second)| {
                        let end = |mut list: Vec<Do>| {
                            list.push(Do::Wait { any: false });
                            list
                        };
                        if draw.threads && second == 0 {
                            vec![end(main), end(side)]
                        } else {
                            vec![end(main)]
                        }
                    })
                })
                .collect();
            (Just(comms), programs)
        })
        .prop_map(|(comms, programs)| Job { comms, programs })
}

/// One rank posts receives of all shapes, the others send it a few messages: the rules for earlier receives.
fn crowd() -> impl Strategy<Value = Job> {
    let tag = || (0..4).prop_map(|t| t / 3);
    let receive =
        (0_usize..3, tag(), 0..4_u8, any::<bool>()).prop_map(|(from, tag, wild, probe)| {
            let from = (wild & 1 == 0).then_some(from);
            let tag = (wild & 2 == 0).then_some(tag);
            (from, tag, probe)
        });
    let sends = prop::collection::vec(tag(), 0..3);
    (prop::collection::vec(receive, 1..5), sends.clone(), sends).prop_map(
        |(receives, left, right)| {
            let last = receives.len() - 1;
            let receiver = receives
                .into_iter()
                .enumerate()
                .map(|(at, (from, tag, probe))| match (at == last, probe) {
                    (true, true) => Do::Probe { comm: 0, from, tag },
                    (blocking, _) => Do::Recv {
                        comm: 0,
                        from,
                        tag,
                        blocking,
                    },
                });
            let sender = |tags: Vec<i32>| {
                let send = |tag| Do::Send {
                    comm: 0,
                    to: 0,
                    tag,
                    sync: false,
                    blocking: false,
                };
                let mut list: Vec<Do> = tags.into_iter().map(send).collect();
                list.push(Do::Wait { any: false });
                list
            };
            Job {
                comms: vec![vec![0, 1, 2]],
                programs: vec![
                    vec![receiver.collect()],
                    vec![sender(left)],
                    vec![sender(right)],
                ],
            }
        },
    )
}

/// The threads that findings call stuck, those in `MPI_Finalize` left out.
fn stuck(findings: &[Finding]) -> BTreeSet<(usize, usize)> {
    let blocked = findings
        .iter()
        .flat_map(|f| f.core.iter().chain(&f.victims));
    blocked
        .filter(|b| b.function != "MPI_Finalize")
        .map(|b| (b.agent.rank.0 as usize, b.agent.thread as usize))
        .collect()
}

/// How many cases of each property: `PROPTEST_CASES`, or enough for every day.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(1500)
}

/// The generators do make deadlocks of both kinds, and jobs that run through.
#[test]
fn the_properties_are_not_about_nothing() {
    let mut runner = TestRunner::deterministic();
    let (mut strict, mut lenient, mut clean) = (0, 0, 0);
    for _ in 0..1000 {
        let draw = Draw {
            wildcards: true,
            threads: false,
            collectives: true,
        };
        let made = (job(draw), prop::collection::vec(any::<u8>(), 0..40)).new_tree(&mut runner);
        let Ok((job, choices)) = made.map(|tree| tree.current()) else {
            continue;
        };
        let analysis = analyse(&job.picture(&job.walk(&choices, Library::Any), 16));
        strict += usize::from(!analysis.strict.is_empty());
        lenient += usize::from(!analysis.lenient.is_empty());
        clean += usize::from(analysis.is_empty());
    }
    assert!(
        strict > 100 && lenient > 20 && clean > 100,
        "{strict} {lenient} {clean}"
    );
}

/// States explored for one case; a case with more is not judged.
const LIMIT: usize = 20_000;

fn sound(job: &Job, choices: &[u8], history: usize) -> Result<(), TestCaseError> {
    let state = job.walk(choices, Library::Any);
    let picture = job.picture(&state, history);
    let analysis = analyse(&picture);
    let strict: Vec<_> = stuck(&analysis.strict).into_iter().collect();
    if !strict.is_empty() {
        let released = job.released(&state, Library::Any, &strict, LIMIT);
        prop_assert!(
            released.as_ref().is_none_or(Vec::is_empty),
            "strict, but released: {released:?}\n{picture:#?}"
        );
    }
    let all: Vec<_> = stuck(&analysis.strict)
        .union(&stuck(&analysis.lenient))
        .copied()
        .collect();
    if !all.is_empty() {
        let released = job.released(&state, Library::ZeroBuffer, &all, LIMIT);
        prop_assert!(
            released.as_ref().is_none_or(Vec::is_empty),
            "lenient, but released: {released:?}\n{picture:#?}"
        );
    }
    for finding in analysis.strict.iter().chain(&analysis.lenient) {
        let closure: BTreeSet<_> = finding.closure.iter().collect();
        prop_assert!(!finding.core.is_empty());
        prop_assert!(finding.core.iter().all(|b| closure.contains(&b.agent)));
        prop_assert!(
            finding.core.iter().all(|b| !b.ops.is_empty()),
            "{finding:#?}"
        );
    }
    prop_assert!(analysis.strict.iter().all(|f| !f.has_may));
    Ok(())
}

/// All that are blocked when nothing can happen any more are reported.
fn complete(job: &Job, choices: &[u8], library: Library) -> Result<(), TestCaseError> {
    let state = job.exhaust(job.walk(choices, library), library);
    let blocked: BTreeSet<_> = job.blocked(&state).into_iter().collect();
    let picture = job.picture(&state, 16);
    let analysis = analyse(&picture);
    let mut found = stuck(&analysis.strict);
    if library == Library::ZeroBuffer || job.mismatch(&state) {
        found.extend(stuck(&analysis.lenient));
    }
    prop_assert_eq!(blocked, found, "{:#?}", picture);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_called_stuck_can_be_released(
        job in job(Draw { wildcards: true, threads: false, collectives: true }),
        choices in prop::collection::vec(any::<u8>(), 0..40),
        history in 0_usize..6,
    ) {
        sound(&job, &choices, history)?;
    }

    #[test]
    fn nothing_that_is_called_stuck_can_be_released_with_threads(
        job in job(Draw { wildcards: true, threads: true, collectives: false }),
        choices in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        sound(&job, &choices, 16)?;
    }

    #[test]
    fn nothing_that_is_called_stuck_can_be_released_without_wildcards(
        job in job(Draw { wildcards: false, threads: true, collectives: true }),
        choices in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        sound(&job, &choices, 16)?;
    }

    #[test]
    fn no_receive_that_is_called_stuck_can_be_matched(
        job in crowd(),
        choices in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        sound(&job, &choices, 16)?;
    }

    #[test]
    fn all_that_are_blocked_for_ever_are_found_with_zero_buffering(
        job in job(Draw { wildcards: false, threads: false, collectives: true }),
        choices in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        complete(&job, &choices, Library::ZeroBuffer)?;
    }

    #[test]
    fn all_that_are_blocked_for_ever_are_found_at_once_whatever_is_buffered(
        job in job(Draw { wildcards: false, threads: false, collectives: true }),
        choices in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        complete(&job, &choices, Library::Any)?;
    }

    #[test]
    fn what_may_act_never_adds_a_finding(
        job in job(Draw { wildcards: true, threads: true, collectives: true }),
        choices in prop::collection::vec(any::<u8>(), 0..60),
        who in any::<prop::sample::Index>(),
        how in 0..3_u8,
    ) {
        let state = job.walk(&choices, Library::Any);
        let mut picture = job.picture(&state, 16);
        let before = analyse(&picture);
        let rank = who.index(picture.ranks.len());
        match how {
            0 => picture.ranks[rank].moving = true,
            1 => picture.ranks[rank].tainted = Some("test".to_owned()),
            _ => picture.ranks[rank].state = standoff_mpi::picture::RankState::NotJoined,
        }
        let after = analyse(&picture);
        // With an inconsistent call out of sight, the wait for others in the collective can become a must-wait.
        if job.mismatch(&state) {
            return Ok(());
        }
        prop_assert!(stuck(&after.strict).is_subset(&stuck(&before.strict)));
        let all = |a: &standoff_mpi::Analysis| stuck(&a.strict).union(&stuck(&a.lenient)).copied().collect::<BTreeSet<_>>();
        prop_assert!(all(&after).is_subset(&all(&before)));
        prop_assert!(all(&after).iter().all(|&(r, _)| r != rank));
    }
}
