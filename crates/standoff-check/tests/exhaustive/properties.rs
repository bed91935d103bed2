//! The analysis agrees with brute force, and its witnesses are executions.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use standoff_check::{Bound, Model, Options, Outcome, Scope, Verdict, check, schedule, warnings};

use crate::brute::{Outcomes, can_deadlock, executions};
use crate::checker::verify;
use crate::generate::{Draw, job};
use crate::job::{Do, Job, Mode};

/// States explored by brute force for one program; one with more is not judged.
const LIMIT: usize = 40_000;

const OPTIONS: Options = Options {
    states: 1_000_000,
    follow: false,
    certain: false,
};

/// How many programs of each of three kinds: `PROPTEST_CASES`, or ten thousand in all.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(3400)
}

fn agree(job: &Job) -> Result<(), TestCaseError> {
    let (verdict, _) = check(&job.trace(), &OPTIONS)?;
    match &verdict {
        Verdict::Deadlock(witness) => {
            if let Err(why) = verify(job, witness) {
                return Err(TestCaseError::fail(format!("{why}\n{witness:#?}")));
            }
        }
        Verdict::Clean(scope) => prop_assert_eq!(scope, &Scope::RecordedControlFlow),
    }
    if let Some(expected) = can_deadlock(job, LIMIT) {
        let found = matches!(verdict, Verdict::Deadlock(_));
        prop_assert_eq!(found, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn without_choices_one_replay_decides(job in job(Draw { wildcards: false, collectives: true, any: false })) {
        agree(&job)?;
    }

    #[test]
    fn messages_with_wildcards(job in job(Draw { wildcards: true, collectives: false, any: true })) {
        agree(&job)?;
    }

    #[test]
    fn everything(job in job(Draw { wildcards: true, collectives: true, any: true })) {
        agree(&job)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// What is read from files need not make sense: that is an error or a result, never a panic.
    #[test]
    fn damaged_runs_do_no_harm(
        job in job(Draw { wildcards: true, collectives: true, any: true }),
        damage in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3_u8), 1..4),
        follow in any::<bool>(),
    ) {
        let mut trace = job.trace();
        for (rank, from, to, how) in damage {
            let rank = usize::from(rank) % trace.ranks.len();
            let record = from.get(&trace.ranks[rank].records).clone();
            let other = (rank + usize::from(how)) % trace.ranks.len();
            let records = &mut trace.ranks[other].records;
            let at = to.index(records.len());
            match how {
                0 if records.len() > 1 => drop(records.remove(at)),
                _ => records.insert(at, record),
            }
        }
        let options = Options { states: 2000, follow, certain: false };
        if let Ok(model) = Model::new(&trace, &options) {
            let (verdict, _) = model.search(&options);
            let _ = (model.alternatives(), warnings(&trace, &model));
            if let Verdict::Deadlock(witness) = verdict {
                let _ = schedule(&trace, &witness, &|_, _| None).to_string();
            }
        }
    }
}

/// Forces alternatives of recorded runs until none is left, as the driver does: whether one hangs. `None`: none did, and not all are known.
fn all_runs(job: &Job, all: &BTreeSet<Outcomes>) -> Result<Option<bool>, TestCaseError> {
    let options = Options {
        certain: true,
        ..OPTIONS
    };
    let Some(first) = all.first() else {
        return Ok(Some(true));
    };
    let mut bounded = false;
    let (mut seen, mut work, mut found) =
        (BTreeSet::from([first.clone()]), vec![first.clone()], false);
    while let Some(run) = work.pop() {
        let trace = job.trace_of(&run);
        let model = Model::new(&trace, &options)?;
        match model.search(&options).0 {
            Verdict::Deadlock(witness) => {
                prop_assert!(witness.diverges.is_empty());
                verify(job, &witness).map_err(TestCaseError::fail)?;
                found = true;
            }
            Verdict::Clean(Scope::Bounded(bounds)) => {
                bounded |= bounds
                    .iter()
                    .any(|b| matches!(b, Bound::NeverCompleted { .. }));
            }
            Verdict::Clean(Scope::RecordedControlFlow) => {}
        }
        for other in model.alternatives() {
            let Outcome::Message { source, tag } = other.outcome else {
                continue;
            };
            let place = (
                other.rank as usize,
                job.call(other.rank as usize, other.event),
            );
            // What was told before stays; what comes after is as it may.
            let fits = |next: &&Outcomes| {
                next.get(&place) == Some(&(source as usize, tag))
                    && next.iter().all(|(&(rank, call), told)| {
                        let before = other.before[rank];
                        let limit = if before == u32::MAX {
                            usize::MAX
                        } else {
                            job.call(rank, before)
                        };
                        (rank, call) == place
                            || call >= limit
                            || (rank == place.0 && call > place.1)
                            || run.get(&(rank, call)) == Some(told)
                    })
            };
            match all.iter().find(fits) {
                Some(next) => {
                    if seen.insert(next.clone()) {
                        work.push(next.clone());
                    }
                }
                // The forced run cannot run through: the driver sees it hang.
                None => found = true,
            }
        }
    }
    if found {
        return Ok(Some(true));
    }
    if bounded {
        return Ok(None);
    }
    prop_assert_eq!(&seen, all);
    Ok(Some(false))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forcing_alternatives_reaches_every_execution(
        job in job(Draw { wildcards: true, collectives: true, any: false }),
    ) {
        if let (Some(all), Some(expected)) = (executions(&job, LIMIT), can_deadlock(&job, LIMIT))
            && let Some(found) = all_runs(&job, &all)? {
                prop_assert_eq!(found, expected);
            }
    }
}

/// A receive that is left open may be given what its own rank sends after it: here, once another wildcard has let the rank go on.
#[test]
fn an_open_wildcard_sees_what_its_rank_does_later() {
    let send = |comm, to, tag| Do::Send {
        comm,
        to,
        tag,
        mode: Mode::Synchronous,
        blocking: false,
    };
    let recv = |comm, from, tag, blocking| Do::Recv {
        comm,
        from,
        tag: Some(tag),
        blocking,
    };
    let job = Job {
        comms: vec![vec![0, 1, 2], vec![2, 1, 0]],
        programs: vec![
            vec![recv(1, None, 0, true)],
            vec![
                recv(1, None, 0, false),
                recv(0, None, 1, true),
                send(1, 2, 0),
                send(1, 1, 0),
                recv(1, Some(1), 0, true),
                Do::WaitAll,
            ],
            vec![send(1, 1, 0), send(0, 1, 1), Do::WaitAll],
        ],
    };
    let all = executions(&job, LIMIT).expect("it is small");
    assert_eq!(can_deadlock(&job, LIMIT), Some(true));
    let found = all_runs(&job, &all).expect("the model takes its traces");
    assert_eq!(found, Some(true));
}

/// The generator makes enough of all that the properties are about.
#[test]
fn the_properties_are_not_about_nothing() {
    let mut runner = TestRunner::deterministic();
    let (mut clean, mut deadlock, mut open, mut skipped) = (0, 0, 0, 0);
    for _ in 0..600 {
        let Ok(tree) = job(Draw {
            wildcards: true,
            collectives: true,
            any: true,
        })
        .new_tree(&mut runner) else {
            continue;
        };
        let job = tree.current();
        match can_deadlock(&job, LIMIT) {
            None => skipped += 1,
            Some(true) => deadlock += 1,
            Some(false) => clean += 1,
        }
        let Ok((_, effort)) = check(&job.trace(), &OPTIONS) else {
            continue;
        };
        open += usize::from(effort.states > 0);
    }
    assert!(
        clean > 60 && deadlock > 60 && open > 20 && skipped < 100,
        "{clean} {deadlock} {open} {skipped}"
    );
}
