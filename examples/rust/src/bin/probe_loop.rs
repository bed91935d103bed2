// standoff: title: ranks look for a message of unknown length in a loop until a late rank sends
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: all received
use mpi::traits::*;
use std::time::{Duration, Instant};

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    // To oneself, of unknown length.
    let me = world.this_process();
    let words = vec![rank; 5];
    mpi::request::scope(|scope| {
        let sent = me.immediate_send_with_tag(scope, &words[..], 9);
        let (got, _) = me.receive_vec_with_tag::<i32>(9);
        sent.wait();
        assert_eq!(got, words);
    });
    if rank == size - 1 {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1500) {
            std::hint::spin_loop();
        }
        for to in 0..rank {
            world
                .process_at_rank(to)
                .send_with_tag(&vec![to; to as usize + 1][..], to);
        }
    } else {
        let status = loop {
            if let Some(status) = world.any_process().immediate_probe() {
                break status;
            }
        };
        let (got, _) = world
            .process_at_rank(status.source_rank())
            .receive_vec_with_tag::<i32>(status.tag());
        assert_eq!(got.len(), rank as usize + 1);
    }
    world.barrier();
    if rank == 0 {
        println!("all received");
    }
}
