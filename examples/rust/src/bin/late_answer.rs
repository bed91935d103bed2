// standoff: title: a receive with a deadline from the crate standoff-comm
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: rank 0 got no message from rank 1 (tag 7) within 50ms
// standoff: stdout: 10 values
// standoff: check: clean
// standoff: check-scope: bounded
//
// How often it looks depends on time, so not everything is looked at.
use std::time::Duration;

use mpi::traits::*;
use standoff_comm::Partners;

const ANSWER: i32 = 7;

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let partners = Partners::new(&world).with_tag(ANSWER);
    if world.rank() == 0 {
        let mut answer = partners.receive_within::<f64>(Some(1), Duration::from_millis(50));
        if let Err(late) = &answer {
            println!("{late}");
            world.process_at_rank(1).send_with_tag(&10, 8);
            answer = partners.receive_within(Some(1), Duration::from_secs(60));
        }
        println!("{} values", answer.unwrap().0.len());
    } else {
        // Only answers when asked again.
        let (count, _) = world.process_at_rank(0).receive_with_tag::<i32>(8);
        let values = vec![1.0; count as usize];
        world.process_at_rank(0).send_with_tag(&values[..], ANSWER);
    }
}
