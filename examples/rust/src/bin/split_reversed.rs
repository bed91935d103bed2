// standoff: title: halves of reversed ranks with nonblocking collectives, a rank in neither, and early leavers
// standoff: ranks: 9
// standoff: expect: clean
// standoff: stdout: total 12
use mpi::collective::SystemOperation;
use mpi::topology::Color;
use mpi::traits::*;
use std::time::Duration;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let rank = world.rank();
    // The last rank belongs to no half; in the others, ranks are counted from the end.
    let color = match rank {
        8 => Color::undefined(),
        _ => Color::with_value(rank % 2),
    };
    let Some(half) = world.split_by_color_with_key(color, -rank) else {
        return;
    };
    let place = half.rank();
    let mut total = 0;
    mpi::request::scope(|scope| {
        let sum = half.immediate_all_reduce_into(scope, &rank, &mut total, SystemOperation::sum());
        let here = half.immediate_barrier();
        if rank == 5 {
            std::thread::sleep(Duration::from_secs(2));
        }
        here.wait_without_status();
        sum.wait_without_status();
    });
    // A chain against the order of the world, while the first leave.
    if place > 0 {
        half.process_at_rank(place - 1).receive::<i32>();
    }
    if place + 1 < half.size() {
        half.process_at_rank(place + 1).send(&total);
    }
    if rank == 0 {
        println!("total {total}");
    }
}
