// standoff: title: a ring of cells whose exchange, a method, receives before it sends
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: stencil_ring_cured
// standoff: text: left.receive_with_tag
// standoff: text: Part::exchange
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;

/// A ring of cells, one part of it.
struct Part {
    world: SimpleCommunicator,
    cells: Vec<f64>,
}

impl Part {
    fn exchange(&mut self) -> (f64, f64) {
        let (rank, size) = (self.world.rank(), self.world.size());
        let left = self.world.process_at_rank((rank + size - 1) % size);
        let right = self.world.process_at_rank((rank + 1) % size);
        let (first, last) = (self.cells[0], self.cells[self.cells.len() - 1]);
        let (before, _) = left.receive_with_tag::<f64>(1); // @core 0-3
        right.send_with_tag(&last, 1);
        let (after, _) = right.receive_with_tag::<f64>(2);
        left.send_with_tag(&first, 2);
        (before, after)
    }

    fn step(&mut self) {
        let (before, after) = self.exchange();
        let old = self.cells.clone();
        let at = |i: usize| old.get(i).copied().unwrap_or(after);
        for (i, cell) in self.cells.iter_mut().enumerate() {
            let left = if i == 0 { before } else { at(i - 1) };
            *cell += 0.25 * (left - 2.0 * old[i] + at(i + 1));
        }
    }
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let cells = vec![f64::from(world.rank()); 100];
    let mut part = Part { world, cells };
    (0..5).for_each(|_| part.step());
    let (mine, mut total) = (part.cells.iter().sum::<f64>(), 0f64);
    part.world
        .all_reduce_into(&mine, &mut total, mpi::collective::SystemOperation::sum());
    if part.world.rank() == 0 {
        println!("total {}", total.round());
    }
}
