//! What was left out, in words.

use std::fmt;

use standoff_check::Bound;

/// Why something was left out, in words.
pub(super) fn bound(bound: &Bound) -> String {
    struct Said<'a>(&'a Bound);
    impl fmt::Display for Said<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                Bound::States { visited } => write!(f, "the search ended after {visited} states"),
                Bound::Polls => f.write_str("other answers of MPI_Test, MPI_Iprobe and their kind"),
                Bound::Threads { rank } => write!(f, "several threads of rank {rank} call MPI"),
                Bound::EndsEarly { rank } => write!(f, "rank {rank} did not come to MPI_Finalize"),
                Bound::Buffer { rank, room } => write!(
                    f,
                    "rank {rank} may have more in its attached buffer than its {room} bytes (MPI makes that an error, no wait)"
                ),
                Bound::Procedure { name } if name.starts_with("MPI_") => {
                    write!(f, "{name} is not modelled")
                }
                Bound::Procedure { name } => f.write_str(name),
                Bound::Collectives { name } => write!(f, "who may leave {name} early is not known"),
                Bound::NeverCompleted { rank } => write!(
                    f,
                    "what a wildcard receive of rank {rank} took is not known: nobody waited for it"
                ),
                Bound::Together { rank } => write!(
                    f,
                    "rank {rank} waits for more requests with MPI_Waitsome than are told in every combination"
                ),
                Bound::Follows | Bound::OtherOutcomes => f.write_str("other outcomes of wildcards"),
            }
        }
    }
    Said(bound).to_string()
}
