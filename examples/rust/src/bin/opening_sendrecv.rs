// standoff: title: the opening example cured: both sides send and receive at once
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
            let (got, _): (u8, _) = mpi::point_to_point::send_receive(&b'a', &other, &other);
            println!("rank 1 got {}", char::from(got));
        }
        5 => {
            let other = world.process_at_rank(1);
            let (_got, _): (u8, _) = mpi::point_to_point::send_receive(&b'b', &other, &other);
        }
        _ => {}
    }
}
