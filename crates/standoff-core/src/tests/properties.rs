//! Properties that hold of every graph.

use proptest::prelude::*;

use super::oracle::{Oracle, Set, Spec, SpecNode, indices};
use crate::cores::cores_within;
use crate::{Assume, Condition, Core, Need, Strength, cores, reduce};

/// Graphs of at most `most` nodes; mostly waits, and few targets each, so that much of them is stuck in varied ways.
fn specs(most: usize) -> impl Strategy<Value = Spec> {
    let need = prop_oneof![
        3 => Just(Need::All),
        3 => Just(Need::Any),
        2 => (0_u32..=4).prop_map(Need::AtLeast),
    ];
    let strength = prop_oneof![4 => Just(Strength::Must), 1 => Just(Strength::May)];
    let condition = prop_oneof![
        1 => Just(Condition::Free),
        1 => Just(Condition::External),
        3 => Just(Condition::Ended),
        25 => (need, strength).prop_map(|(need, strength)| Condition::Wait { need, strength }),
    ];
    let targets = prop_oneof![
        4 => prop::collection::vec(any::<prop::sample::Index>(), 1..=2),
        1 => prop::collection::vec(any::<prop::sample::Index>(), 0..=5),
    ];
    let node = (prop::bool::weighted(0.6), condition, targets);
    prop::collection::vec(node, 1..=most).prop_map(|nodes| {
        let n = nodes.len();
        let nodes = nodes
            .into_iter()
            .map(|(agent, condition, targets)| SpecNode {
                agent,
                condition,
                targets: targets.into_iter().map(|t| t.index(n)).collect(),
            })
            .collect();
        Spec { nodes }
    })
}

fn assumptions() -> impl Strategy<Value = Assume> {
    prop_oneof![Just(Assume::MayWaitsPass), Just(Assume::MayWaitsBlock)]
}

/// What holds of the lists of cores whatever the budget.
fn check_lists(oracle: &Oracle<'_>, found: &[Core]) {
    let mut members = Set::new();
    for core in found {
        for m in indices(&core.members) {
            assert!(members.insert(m), "in two cores: {m}");
        }
        for list in [&core.members, &core.ended, &core.closure, &core.victims] {
            assert!(list.is_sorted());
        }
    }
    assert!(found.is_sorted_by_key(|c| c.members[0]));
    for agent in oracle.agents() {
        let listed = found
            .iter()
            .filter(|c| indices(&c.victims).contains(&agent))
            .count();
        let reached = found.iter().filter(|c| oracle.reaches(agent, c)).count();
        if members.contains(&agent) {
            assert_eq!(listed, 0, "member and victim");
        } else {
            assert!(
                reached > 0 && listed == reached.min(8),
                "{agent}: {listed} of {reached}"
            );
        }
    }
    for core in found {
        assert!(core.victims.iter().all(|v| oracle.reaches(v.index(), core)));
    }
}

fn check_cores(spec: &Spec, assume: Assume) {
    let graph = spec.graph();
    let reduction = reduce(&graph, assume);
    let oracle = Oracle::new(spec, assume);
    let found = cores(&graph, &reduction);
    let expected = oracle.cores();
    let pairs: Vec<_> = found
        .iter()
        .map(|c| (c.kind, indices(&c.members)))
        .collect();
    assert_eq!(pairs, expected);
    check_lists(&oracle, &found);
    for core in &found {
        oracle.check(core, true);
    }

    for budget in [0, 1, 10] {
        let cut = cores_within(&graph, &reduction, budget);
        check_lists(&oracle, &cut);
        for core in &cut {
            let whole = found.iter().find(|c| c.members.contains(&core.members[0]));
            let whole = whole.expect("a core made up");
            assert!(core.members.iter().all(|m| whole.members.contains(m)));
            assert_eq!(core.kind, whole.kind);
            oracle.check(core, core.members == whole.members);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn stuck_is_the_greatest_set_that_nothing_outside_releases(
        spec in specs(9),
        assume in assumptions(),
    ) {
        let stuck = spec.stuck_by_enumeration(assume);
        let reduction = reduce(&spec.graph(), assume);
        let found: Set = spec.graph().nodes().filter(|&v| reduction.is_stuck(v)).map(|v| v.index()).collect();
        prop_assert_eq!(&found, &stuck);
        prop_assert_eq!(&found, &spec.stuck(assume));
        let agents: Vec<usize> = stuck.iter().copied().filter(|&v| spec.nodes[v].agent).collect();
        prop_assert_eq!(reduction.stuck_agents().map(|v| v.index()).collect::<Vec<_>>(), agents);
        prop_assert_eq!(reduction.assume(), assume);
    }

    #[test]
    fn small_cores_are_what_the_definition_says(spec in specs(10), assume in assumptions()) {
        check_cores(&spec, assume);
    }

    #[test]
    fn what_is_stuck_for_certain_is_stuck_when_may_waits_block(spec in specs(40)) {
        let graph = spec.graph();
        let strict = reduce(&graph, Assume::MayWaitsPass);
        let lenient = reduce(&graph, Assume::MayWaitsBlock);
        prop_assert!(graph.nodes().all(|v| !strict.is_stuck(v) || lenient.is_stuck(v)));
        prop_assert!(cores(&graph, &strict).iter().all(|c| !c.has_may));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn larger_cores_are_what_the_definition_says(spec in specs(40), assume in assumptions()) {
        check_cores(&spec, assume);
    }
}
