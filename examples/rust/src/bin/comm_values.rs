// standoff: title: what each method of the crate standoff-comm gives, small and above every library's eager limit
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: all values are right
use std::time::Duration;

use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use mpi::Rank;
use standoff_comm::{Overdue, Partners, TAG};

/// As `owner` has it, told from that of others and from other messages.
fn data(owner: Rank, what: i32, length: usize) -> Vec<i32> {
    (0..length as i32)
        .map(|n| n + 1_000_003 * owner + 17 * what)
        .collect()
}

fn pairs(world: &SimpleCommunicator, length: usize) {
    let (rank, partners) = (world.rank(), Partners::new(world).with_tag(5));
    let peer = rank ^ 1;
    if peer < world.size() {
        // As long as the rank says: the other side need not know.
        let got = partners.exchange(&data(rank, 1, length + rank as usize), peer);
        assert_eq!(got, data(peer, 1, length + peer as usize));
        let mut buffer = vec![-1; length];
        partners.exchange_into(&data(rank, 2, length), &mut buffer, peer);
        assert_eq!(buffer, data(peer, 2, length));
    }
    let mine = data(rank, 3, length);
    assert_eq!(partners.exchange(&mine, rank), mine);
}

fn rings(world: &SimpleCommunicator, length: usize) {
    let (rank, size, partners) = (world.rank(), world.size(), Partners::new(world));
    for displacement in [1, -1, 2, size, -size - 1] {
        let from = (rank - displacement).rem_euclid(size);
        let got = partners.shift(&data(rank, 1, length), displacement);
        assert_eq!(got, data(from, 1, length));
        let mut buffer = vec![-1; length];
        partners.shift_into(&data(rank, 2, length), &mut buffer, displacement);
        assert_eq!(buffer, data(from, 2, length));
    }
}

fn grids(world: &SimpleCommunicator, length: usize) {
    for periodic in [false, true] {
        let dims = if world.size() % 2 == 0 {
            [2, world.size() / 2]
        } else {
            [1, world.size()]
        };
        let grid = world
            .create_cartesian_communicator(&dims, &[periodic; 2], false)
            .unwrap();
        let (rank, partners) = (grid.rank(), Partners::new(&grid));
        for dimension in 0..2 {
            let (low, high) = grid.shift(dimension, 1);
            let got = partners.cart_shift(&data(rank, 1, length), dimension, 1);
            assert_eq!(got, low.map(|r| data(r, 1, length)));
            let mut buffer = vec![-1; length];
            partners.cart_shift_into(&data(rank, 2, length), &mut buffer, dimension, -1);
            assert_eq!(
                buffer,
                high.map_or(vec![-1; length], |r| data(r, 2, length))
            );
        }
    }
}

fn neighbourhoods(world: &SimpleCommunicator, length: usize) {
    let (rank, partners) = (world.rank(), Partners::new(world));
    let everybody: Vec<Rank> = (0..world.size()).rev().collect();
    let odd = everybody.iter().copied();
    let odd: Vec<Rank> = odd.filter(|r| (r - rank) % 2 != 0).collect();
    let others = everybody.iter().copied();
    let without_0 = others.filter(|&r| r != 0 && rank != 0 && r != rank);
    for peers in [everybody.clone(), odd, without_0.collect()] {
        let outgoing: Vec<_> = peers.iter().map(|&p| data(rank, p, length)).collect();
        let expected: Vec<_> = peers.iter().map(|&p| data(p, rank, length)).collect();
        let pairs = peers.iter().copied().zip(&outgoing);
        let pairs: Vec<(Rank, &[i32])> = pairs.map(|(p, o)| (p, o.as_slice())).collect();
        assert_eq!(partners.halo(&pairs), expected);
        assert_eq!(partners.pairwise(&pairs), expected);
        for one_by_one in [false, true] {
            let mut came = vec![vec![-1; length]; peers.len()];
            let mut buffers: Vec<_> = pairs
                .iter()
                .zip(&mut came)
                .map(|(&(peer, out), into)| (peer, out, into.as_mut_slice()))
                .collect();
            match one_by_one {
                false => partners.halo_into(&mut buffers),
                true => partners.pairwise_into(&mut buffers),
            }
            assert_eq!(came, expected);
        }
    }
}

fn deadlines(world: &SimpleCommunicator, length: usize) {
    let partners = Partners::new(world);
    let (short, long) = (Duration::from_millis(20), Duration::from_secs(60));
    if world.rank() == 0 {
        let late = partners.receive_within::<i32>(Some(1), short).unwrap_err();
        let expected = Overdue {
            rank: 0,
            source: Some(1),
            tag: TAG,
            deadline: short,
        };
        assert_eq!(late, expected);
        assert_eq!(
            late.to_string(),
            "rank 0 got no message from rank 1 (tag 32109) within 20ms"
        );
        assert!(partners
            .receive_within::<i32>(None, Duration::ZERO)
            .is_err());
    }
    world.barrier();
    match world.rank() {
        0 => {
            let (got, status) = partners.receive_within(Some(1), long).unwrap();
            assert_eq!((got, status.source_rank()), (data(1, 1, length), 1));
            let (got, status) = partners.receive_within(None, long).unwrap();
            assert_eq!((got, status.source_rank()), (data(1, 2, length), 1));
        }
        1 => {
            let root = world.process_at_rank(0);
            root.send_with_tag(&data(1, 1, length)[..], TAG);
            root.send_with_tag(&data(1, 2, length)[..], TAG);
        }
        _ => {}
    }
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    // 4 bytes, and 1 MiB.
    for length in [1, 262_144] {
        for part in [pairs, rings, grids, neighbourhoods, deadlines] {
            part(&world, length);
        }
    }
    let mut right = 0;
    world.all_reduce_into(&1, &mut right, SystemOperation::sum());
    if world.rank() == 0 && right == world.size() {
        println!("all values are right");
    }
}
