// standoff: title: guard_dropped_early cured: it is dropped after the send
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: token 2
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
        after.send(&mine);
        drop(incoming);
    });
    if rank == 0 {
        println!("token {token}");
    }
}
