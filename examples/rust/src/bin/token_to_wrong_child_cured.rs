// standoff: title: the last rank is a child, too
// standoff: ranks: 7
// standoff: expect: clean
// standoff: stdout: value 4
use mpi::traits::*;

/// The ranks below one in a binary tree.
fn children(rank: i32, size: i32) -> impl Iterator<Item = i32> {
    (2 * rank + 1..2 * rank + 3).take_while(move |&child| child < size)
}

fn broadcast<C: Communicator>(comm: &C, value: &mut [f64; 4]) {
    if comm.rank() > 0 {
        let parent = (comm.rank() - 1) / 2;
        comm.process_at_rank(parent).receive_into(&mut value[..]);
    }
    for child in children(comm.rank(), comm.size()) {
        comm.process_at_rank(child).send(&value[..]);
    }
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let mut value = [0.0; 4];
    if world.rank() == 0 {
        value = [1.0, 2.0, 3.0, 4.0];
    }
    broadcast(&world, &mut value);
    if world.rank() == world.size() - 1 {
        println!("value {}", value[3]);
    }
}
