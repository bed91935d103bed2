// standoff: title: threads compute and hand over by a channel; the main thread of each rank sends what it gets, late
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: total 15
use mpi::traits::*;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn main() {
    let (universe, _) = mpi::initialize_with_threading(mpi::Threading::Funneled).unwrap();
    let world = universe.world();
    let (results, computed) = mpsc::channel();
    let rank = world.rank();
    let workers: Vec<_> = (0..2)
        .map(|part| {
            let results = results.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(400 * (1 + rank as u64)));
                results.send(i64::from(rank + part) + 1).unwrap();
            })
        })
        .collect();
    drop(results);
    let mine: i64 = computed.iter().sum();
    if rank == 0 {
        let mut total = mine;
        for other in 1..world.size() {
            total += world.process_at_rank(other).receive::<i64>().0;
        }
        println!("total {}", total);
    } else {
        world.process_at_rank(0).send(&mine);
    }
    for worker in workers {
        worker.join().unwrap();
    }
}
