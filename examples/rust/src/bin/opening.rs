// standoff: title: two ranks each receive before they send
// standoff: ranks: 9
// standoff: expect: deadlock
// standoff: core: 1, 5
// standoff: cured: opening_swapped, opening_sendrecv
// standoff: text: other.receive
// standoff: text: MPI_Sendrecv (send_receive_into)
use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    match world.rank() {
        1 => {
            let other = world.process_at_rank(5);
            let (_got, _) = other.receive::<u8>(); // @core 1
            other.send(&b'a');
        }
        5 => {
            let other = world.process_at_rank(1);
            let (_got, _) = other.receive::<u8>(); // @core 5
            other.send(&b'b');
        }
        _ => {}
    }
}
