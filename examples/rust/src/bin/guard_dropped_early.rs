// standoff: title: a guard that waits for a receive is dropped before the send
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: cured: guard_dropped_early_cured
use mpi::request::{scope, WaitGuard};
use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let before = world.process_at_rank((rank + size - 1) % size);
    let after = world.process_at_rank((rank + 1) % size);
    let (mine, mut token) = (rank, -1);
    scope(|scope| {
        let incoming = WaitGuard::from(before.immediate_receive_into(scope, &mut token));
        drop(incoming); // @core 0-2
        after.send(&mine);
    });
    if rank == 0 {
        println!("token {token}");
    }
}
