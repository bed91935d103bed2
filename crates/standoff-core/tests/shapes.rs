//! Shapes that hanging programs have.

use standoff_core::{
    Assume, Condition, Core, CoreKind, Graph, Need, NodeId, Strength, cores, reduce,
};

/// A graph with that many agents, all free.
fn agents(n: usize) -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::new();
    let ids = (0..n).map(|_| graph.add_agent()).collect();
    (graph, ids)
}

fn must(graph: &mut Graph, n: NodeId, need: Need, targets: &[NodeId]) {
    graph.set_wait(n, need, Strength::Must, targets);
}

/// Each waits for the next, the last for the first.
fn ring(graph: &mut Graph, ids: &[NodeId]) {
    for (i, &id) in ids.iter().enumerate() {
        must(graph, id, Need::All, &[ids[(i + 1) % ids.len()]]);
    }
}

fn analyse(graph: &Graph) -> Vec<Core> {
    cores(graph, &reduce(graph, Assume::MayWaitsPass))
}

fn one(graph: &Graph) -> Core {
    let mut found = analyse(graph);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn stuck(graph: &Graph) -> Vec<NodeId> {
    reduce(graph, Assume::MayWaitsPass).stuck_agents().collect()
}

#[test]
fn nothing_is_stuck_in_an_empty_graph_or_a_free_one() {
    assert!(analyse(&Graph::new()).is_empty());
    let (mut graph, a) = agents(3);
    must(&mut graph, a[0], Need::All, &[a[1], a[2]]);
    must(&mut graph, a[1], Need::Any, &[a[2]]);
    assert!(stuck(&graph).is_empty() && analyse(&graph).is_empty());
}

#[test]
fn ring_of_five() {
    let (mut graph, a) = agents(5);
    ring(&mut graph, &a);
    let core = one(&graph);
    assert_eq!(core.kind, CoreKind::Cycle);
    assert_eq!((&core.members, &core.cycle, &core.closure), (&a, &a, &a));
    assert!(core.victims.is_empty() && core.ended.is_empty() && !core.has_may);
}

#[test]
fn one_free_member_opens_a_ring() {
    let (mut graph, a) = agents(5);
    ring(&mut graph, &a);
    graph.set_free(a[3]);
    assert!(stuck(&graph).is_empty());
    graph.set_external(a[3]);
    assert!(stuck(&graph).is_empty());
}

#[test]
fn an_agent_that_waits_for_itself() {
    let (mut graph, a) = agents(2);
    ring(&mut graph, &a[..1]);
    must(&mut graph, a[1], Need::All, &[a[0]]);
    let core = one(&graph);
    assert_eq!(
        (core.kind, core.members, core.cycle),
        (CoreKind::Cycle, vec![a[0]], vec![a[0]])
    );
    assert_eq!(core.victims, [a[1]]);
}

#[test]
fn two_independent_rings_are_two_cores() {
    let (mut graph, a) = agents(6);
    ring(&mut graph, &[a[0], a[2], a[4]]);
    ring(&mut graph, &[a[5], a[3], a[1]]);
    let found = analyse(&graph);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].cycle, [a[0], a[2], a[4]]);
    assert_eq!(found[1].cycle, [a[1], a[5], a[3]]);
    assert!(found.iter().all(|c| c.closure == c.members));
}

#[test]
fn a_ring_behind_a_ring_rests_on_both() {
    let (mut graph, a) = agents(5);
    ring(&mut graph, &a[..2]);
    ring(&mut graph, &a[2..4]);
    must(&mut graph, a[1], Need::All, &[a[0], a[2]]);
    must(&mut graph, a[4], Need::All, &[a[0]]);
    let found = analyse(&graph);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0].members[..], &found[0].closure[..]),
        (&a[..2], &a[..4])
    );
    assert_eq!(
        (&found[1].members[..], &found[1].closure[..]),
        (&a[2..4], &a[2..4])
    );
    assert_eq!(
        (&found[0].victims[..], &found[1].victims[..]),
        (&a[4..], &a[4..])
    );
}

#[test]
fn a_chain_behind_a_ring_is_its_victims() {
    let (mut graph, a) = agents(10);
    ring(&mut graph, &a[7..]);
    for i in 0..7 {
        must(&mut graph, a[i], Need::All, &[a[i + 1]]);
    }
    let core = one(&graph);
    assert_eq!((&core.members[..], &core.victims[..]), (&a[7..], &a[..7]));
    assert_eq!(core.closure, core.members);
}

#[test]
fn a_star_around_an_agent_that_left() {
    let (mut graph, a) = agents(6);
    graph.set_ended(a[0]);
    for &leaf in &a[1..5] {
        must(&mut graph, leaf, Need::All, &[a[0]]);
    }
    must(&mut graph, a[5], Need::Any, &[a[1], a[4]]);
    let core = one(&graph);
    assert_eq!(core.kind, CoreKind::Ended);
    assert_eq!((&core.members[..], &core.ended[..]), (&a[1..5], &a[..1]));
    assert_eq!((&core.closure[..], &core.victims[..]), (&a[1..5], &a[5..]));
    assert!(core.cycle.is_empty());
    assert!(!reduce(&graph, Assume::MayWaitsPass).is_stuck(a[0]));
}

#[test]
fn ended_partners_are_separate_unless_shared() {
    let (mut graph, a) = agents(6);
    let (e, f) = (a[0], a[1]);
    graph.set_ended(e);
    graph.set_ended(f);
    must(&mut graph, a[2], Need::All, &[e]);
    must(&mut graph, a[3], Need::All, &[f]);
    assert_eq!(analyse(&graph).len(), 2);
    must(&mut graph, a[4], Need::Any, &[f, e]);
    let core = one(&graph);
    assert_eq!((&core.members[..], &core.ended[..]), (&a[2..5], &a[..2]));
}

#[test]
fn a_ring_whose_member_also_waits_for_one_that_left_stays_a_ring() {
    let (mut graph, a) = agents(4);
    ring(&mut graph, &a[..2]);
    graph.set_ended(a[3]);
    let request = graph.add_condition();
    must(&mut graph, request, Need::Any, &[a[3]]);
    must(&mut graph, a[1], Need::All, &[a[0], request]);
    must(&mut graph, a[2], Need::All, &[request]);
    let found = analyse(&graph);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].kind, &found[0].ended[..]),
        (CoreKind::Cycle, &a[3..])
    );
    assert_eq!(
        (found[1].kind, &found[1].ended[..]),
        (CoreKind::Ended, &a[3..])
    );
    assert_eq!(found[1].members, [a[2]]);
}

#[test]
fn any_of_nothing_is_never_and_all_of_nothing_is_at_once() {
    let (mut graph, a) = agents(4);
    must(&mut graph, a[0], Need::All, &[]);
    must(&mut graph, a[1], Need::AtLeast(0), &[]);
    must(&mut graph, a[2], Need::Any, &[]);
    must(&mut graph, a[3], Need::All, &[a[2], a[0]]);
    let core = one(&graph);
    assert_eq!(
        (core.kind, core.members, core.victims),
        (CoreKind::Ended, vec![a[2]], vec![a[3]])
    );
    assert!(core.ended.is_empty());
}

/// Workers wait for any message of each other, through one node that stands for "any source".
#[test]
fn a_wildcard_farm_is_stuck_only_without_a_free_worker() {
    let (mut graph, a) = agents(50);
    let any = graph.add_condition();
    must(&mut graph, any, Need::Any, &a);
    for &worker in &a {
        must(&mut graph, worker, Need::Any, &[any]);
    }
    let core = one(&graph);
    assert_eq!((core.kind, &core.members), (CoreKind::Cycle, &a));
    assert_eq!(core.cycle, [a[0]]);
    graph.set_free(a[31]);
    assert!(stuck(&graph).is_empty());
}

/// All but one stand in a barrier; that one waits for the first of them.
#[test]
fn a_barrier_with_one_missing() {
    let (mut graph, a) = agents(100);
    let missing = a[99];
    let barrier = graph.add_condition();
    must(&mut graph, barrier, Need::All, &[missing]);
    for &member in &a[..99] {
        must(&mut graph, member, Need::All, &[barrier]);
    }
    assert!(stuck(&graph).is_empty(), "the missing one may still come");
    must(&mut graph, missing, Need::Any, &[a[0]]);
    let core = one(&graph);
    assert_eq!(
        (&core.members, &core.cycle),
        (&vec![a[0], missing], &vec![a[0], missing])
    );
    assert_eq!(core.victims, a[1..99]);
    assert!(reduce(&graph, Assume::MayWaitsPass).is_stuck(barrier));
}

#[test]
fn k_of_n_needs_k() {
    let (mut graph, a) = agents(5);
    ring(&mut graph, &a[..2]);
    for (k, is_stuck) in [(0, false), (1, false), (2, false), (3, true), (9, true)] {
        must(&mut graph, a[4], Need::AtLeast(k), &a[..4]);
        assert_eq!(
            stuck(&graph).contains(&a[4]),
            is_stuck,
            "{k} of 4, of which 2 are free"
        );
    }
    must(&mut graph, a[4], Need::AtLeast(2), &[a[2], a[2], a[0]]);
    assert!(
        !stuck(&graph).contains(&a[4]),
        "a target listed twice counts twice"
    );
}

#[test]
fn an_or_wait_out_of_a_ring_opens_it() {
    let (mut graph, a) = agents(3);
    ring(&mut graph, &a[..2]);
    must(&mut graph, a[0], Need::Any, &[a[1], a[2]]);
    assert!(stuck(&graph).is_empty());
    must(&mut graph, a[0], Need::All, &[a[1], a[2]]);
    assert_eq!(stuck(&graph), a[..2]);
}

#[test]
fn may_waits_pass_in_one_reduction_and_block_in_the_other() {
    let (mut graph, a) = agents(3);
    graph.set_wait(a[0], Need::All, Strength::May, &[a[1]]);
    graph.set_wait(a[1], Need::All, Strength::Must, &[a[0]]);
    graph.set_wait(a[2], Need::All, Strength::Must, &[a[2]]);
    assert_eq!(stuck(&graph), a[2..]);
    let reduction = reduce(&graph, Assume::MayWaitsBlock);
    let found = cores(&graph, &reduction);
    assert_eq!(
        (found.len(), reduction.assume()),
        (2, Assume::MayWaitsBlock)
    );
    assert!(found[0].has_may && !found[1].has_may);
}

#[test]
fn condition_nodes_are_passed_and_not_listed() {
    let (mut graph, a) = agents(3);
    let (r, s) = (graph.add_condition(), graph.add_condition());
    must(&mut graph, a[0], Need::All, &[r]);
    graph.set_wait(r, Need::All, Strength::May, &[a[1]]);
    must(&mut graph, a[1], Need::Any, &[s]);
    must(&mut graph, s, Need::Any, &[a[0], s]);
    assert!(matches!(
        graph.condition(s),
        Condition::Wait {
            need: Need::Any,
            ..
        }
    ));
    let found = cores(&graph, &reduce(&graph, Assume::MayWaitsBlock));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].cycle[..], found[0].has_may), (&a[..2], true));
    assert_eq!(
        (&found[0].members[..], &found[0].closure[..]),
        (&a[..2], &a[..2])
    );
}

#[test]
fn a_victim_of_many_rings_is_listed_for_eight() {
    let (mut graph, a) = agents(41);
    for pair in a[..40].chunks(2) {
        ring(&mut graph, pair);
    }
    must(&mut graph, a[40], Need::All, &a[..40]);
    let found = analyse(&graph);
    assert_eq!(found.len(), 20);
    let with = found.iter().filter(|c| c.victims == [a[40]]).count();
    assert_eq!(with, 8);
}

/// Closures of n rings in a row have n²/2 agents together: 10¹⁰ here.
#[test]
fn a_hundred_thousand_rings_in_a_row() {
    const RINGS: usize = 100_000;
    let (mut graph, a) = agents(2 * RINGS);
    for i in 0..RINGS {
        must(&mut graph, a[2 * i], Need::All, &[a[2 * i + 1]]);
        let next = a.get(2 * i + 2).copied().unwrap_or(a[2 * i]);
        must(&mut graph, a[2 * i + 1], Need::All, &[a[2 * i], next]);
    }
    let found = analyse(&graph);
    let last = found.last().expect("the ring that waits for no other");
    assert_eq!(
        (&last.members, last.closure.len()),
        (&a[2 * RINGS - 2..].to_vec(), 2)
    );
    let listed: usize = found
        .iter()
        .map(|c| c.closure.len() + c.victims.len())
        .sum();
    assert!(listed < 40 * graph.len(), "{listed}");
    let mut seen = vec![false; graph.len()];
    for v in found
        .iter()
        .flat_map(|c| c.members.iter().chain(&c.victims))
    {
        seen[v.index()] = true;
    }
    assert!(seen.iter().all(|&s| s), "each is in a core or behind one");
}

#[test]
fn a_chain_of_a_million_needs_no_deep_stack() {
    let (mut graph, a) = agents(1_000_000);
    for pair in a.windows(2) {
        must(&mut graph, pair[0], Need::All, &pair[1..]);
    }
    assert!(stuck(&graph).is_empty());
    graph.set_ended(a[999_999]);
    let core = one(&graph);
    assert_eq!((core.members.len(), core.victims.len()), (1, 999_998));
}
