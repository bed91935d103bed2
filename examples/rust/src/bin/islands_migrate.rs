// standoff: title: individuals migrate between islands in a ring and between pairs, with the crate standoff-comm
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: 1000000 individuals, best 3
// standoff: check: clean
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use mpi::Rank;
use standoff_comm::Partners;

/// The individuals of one rank.
struct Island<'w> {
    partners: Partners<'w, SimpleCommunicator>,
    people: Vec<i32>,
}

impl Island<'_> {
    /// A third sails on to the next island, however many these are.
    fn sail(&mut self) {
        let stay = self.people.len() - self.people.len() / 3;
        let leaving = self.people.split_off(stay);
        self.people.extend(self.partners.shift(&leaving, 1));
    }

    /// Two islands tell each other their best.
    fn compare(&mut self, other: Rank) {
        let (best, mut theirs) = ([*self.people.iter().max().unwrap()], [0]);
        self.partners.exchange_into(&best, &mut theirs, other);
        self.people[0] = best[0].max(theirs[0]);
    }

    /// And the rest of what they know.
    fn mingle(&mut self, other: Rank) {
        self.people = self.partners.exchange(&self.people, other);
    }

    /// The best of all that can be reached goes round.
    fn rumour(&mut self, rounds: i32) {
        for _ in 0..rounds {
            let (mine, mut heard) = ([self.people[0]], [0]);
            self.partners.shift_into(&mine, &mut heard, -1);
            self.people[0] = mine[0].max(heard[0]);
        }
    }
}

fn main() {
    let universe = mpi::initialize().unwrap();
    let world = universe.world();
    let rank = world.rank();
    let mut island = Island {
        partners: Partners::new(&world),
        people: vec![rank; 250_000],
    };
    for _ in 0..3 {
        island.sail();
    }
    island.compare(rank ^ 1);
    island.mingle(rank ^ 1);
    island.rumour(world.size());

    let (mut count, mut best) = (0, 0);
    let mine = island.people.len() as i32;
    world.all_reduce_into(&mine, &mut count, SystemOperation::sum());
    world.all_reduce_into(&island.people[0], &mut best, SystemOperation::min());
    if rank == 0 {
        println!("{count} individuals, best {best}");
    }
}
