# standoff: title: cured: all ranks make the same number of steps
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: five steps
from array import array

from mpi4py import MPI


def exchange(comm, left, right, cells):
    halo = array("d", [0.0])
    both = comm.Isendrecv([cells, 1, MPI.DOUBLE], right, 3, [halo, 1, MPI.DOUBLE], left, 3)
    both.Wait()
    return halo[0]


def main():
    comm = MPI.COMM_WORLD
    left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
    cells = array("d", [float(comm.rank)])
    step = 0
    while step < 5:
        cells[0] = 0.5 * (cells[0] + exchange(comm, left, right, cells))
        step += 1
    if comm.rank == 0:
        print("five steps", flush=True)


main()
