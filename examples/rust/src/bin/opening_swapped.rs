// standoff: title: the opening example cured: one side sends first
// standoff: ranks: 9
// standoff: expect: clean
// standoff: stdout: rank 1 got b
use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    match world.rank() {
        1 => {
            let other = world.process_at_rank(5);
            other.send(&b'a');
            let (got, _) = other.receive::<u8>();
            println!("rank 1 got {}", char::from(got));
        }
        5 => {
            let other = world.process_at_rank(1);
            let (_got, _) = other.receive::<u8>();
            other.send(&b'b');
        }
        _ => {}
    }
}
