# standoff: title: all ranks wait for one that waits for a subprocess
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: mesh of 64 cells
import subprocess
from mpi4py import MPI


def make_mesh():
    out = subprocess.run(["sh", "-c", "sleep 2; echo 64"], stdout=subprocess.PIPE, check=True)
    return int(out.stdout)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        cells = make_mesh()
        for worker in range(1, comm.size):
            comm.send(cells, dest=worker)
        print("mesh of", cells, "cells", flush=True)
    else:
        comm.recv(source=0)


main()
