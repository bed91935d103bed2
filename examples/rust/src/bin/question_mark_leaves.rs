// standoff: title: a rank leaves a function by `?`, the others go on to a reduction
// standoff: ranks: 5
// standoff: expect: deadlock
// standoff: core: 0-2, 4
// standoff: left: 3
// standoff: cured: question_mark_leaves_cured
// standoff: text: world.all_reduce_into
use mpi::collective::SystemOperation;
use mpi::traits::*;

/// The word count of a rank's part of a text.
fn count(rank: i32) -> Result<u64, String> {
    match rank {
        3 => Err(format!("part {rank} is missing")),
        _ => Ok(10 * (rank as u64 + 1)),
    }
}

fn run(world: &impl Communicator) -> Result<(), String> {
    let mine = count(world.rank())?;
    let mut all = 0u64;
    world.all_reduce_into(&mine, &mut all, SystemOperation::sum()); // @core 0-2, 4
    if world.rank() == 0 {
        println!("words {all}");
    }
    Ok(())
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    if let Err(problem) = run(&world) {
        eprintln!("{problem}");
    }
}
