// standoff: title: a plate in blocks: shifts in a grid, borders and a transposition, with the crate standoff-comm
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: all blocks agree
// standoff: check: clean
use mpi::traits::*;
use mpi::Rank;
use standoff_comm::Partners;

const CELLS: usize = 100_000;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let grid = world
        .create_cartesian_communicator(&[2, world.size() / 2], &[false, true], false)
        .unwrap();
    let (rank, partners) = (grid.rank(), Partners::new(&grid));
    let mine = vec![f64::from(rank); CELLS];

    // What the block above has at its lower edge; at the edge of the plate nothing.
    let (above, _) = grid.shift(0, 1);
    let edge = partners.cart_shift(&mine, 0, 1);
    assert_eq!(edge.map(|e| e[0]), above.map(f64::from));
    let mut left = vec![0.0; CELLS];
    partners.cart_shift_into(&mine, &mut left, 1, 1);
    assert_eq!(Some(left[CELLS - 1]), grid.shift(1, 1).0.map(f64::from));

    // The corners touch three others, at borders of different lengths.
    let others: Vec<Rank> = (0..grid.size()).filter(|&r| r != rank).collect();
    let length = |a: Rank, b: Rank| 30_000 * (a + b) as usize;
    let borders: Vec<(Rank, &[f64])> = others
        .iter()
        .map(|&r| (r, &mine[..length(rank, r).min(CELLS)]))
        .collect();
    for (&(other, sent), came) in borders.iter().zip(partners.halo(&borders)) {
        assert_eq!(came, vec![f64::from(other); sent.len()]);
    }
    // Again with room for what comes, and pair by pair.
    for pair_by_pair in [false, true] {
        let mut room: Vec<Vec<f64>> = borders.iter().map(|b| vec![0.0; b.1.len()]).collect();
        let mut buffers: Vec<_> = borders
            .iter()
            .zip(&mut room)
            .map(|(&(other, sent), into)| (other, sent, into.as_mut_slice()))
            .collect();
        if pair_by_pair {
            partners.pairwise_into(&mut buffers);
        } else {
            partners.halo_into(&mut buffers);
        }
        for (&(other, _), came) in borders.iter().zip(&room) {
            assert!(came.iter().all(|&value| value == f64::from(other)));
        }
    }
    let names: Vec<(Rank, &[i32])> = others.iter().map(|&r| (r, &[][..])).collect();
    assert!(partners.pairwise(&names).iter().all(Vec::is_empty));

    grid.barrier();
    if rank == 0 {
        println!("all blocks agree");
    }
}
