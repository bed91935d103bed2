# standoff: title: a program that ends with a status of its own
# standoff: ranks: 2
# standoff: expect: clean
# standoff: exit: 3
# standoff: stdout: not converged
import sys
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    converged = comm.bcast(False, root=0)
    comm.Barrier()
    if comm.rank == 0:
        print("not converged", flush=True)
    MPI.Finalize()
    return 0 if converged else 3


sys.exit(main())
