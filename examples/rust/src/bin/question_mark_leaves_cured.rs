// standoff: title: question_mark_leaves cured: the error is shown after the reduction
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: words 110
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
    let mine = count(world.rank()).unwrap_or_else(|problem| {
        eprintln!("{problem}");
        0
    });
    let mut all = 0u64;
    world.all_reduce_into(&mine, &mut all, SystemOperation::sum());
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
