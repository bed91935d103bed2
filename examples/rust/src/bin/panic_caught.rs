// standoff: title: a rank panics, catches it and sends, late, what another rank waits for
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: sum 2
use mpi::traits::*;
use std::time::Duration;

fn look_up(table: &[i32], rank: usize) -> i32 {
    table[rank]
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let rank = world.rank();
    let root = world.process_at_rank(0);
    if rank == 0 {
        let sum: i32 = (1..world.size())
            .map(|_| world.any_process().receive::<i32>().0)
            .sum();
        println!("sum {sum}");
    } else {
        let found = std::panic::catch_unwind(|| look_up(&[0, 1, 2], rank as usize));
        let word = found.unwrap_or_else(|_| {
            std::thread::sleep(Duration::from_secs(2));
            -1
        });
        root.synchronous_send(&word);
    }
    world.barrier();
}
