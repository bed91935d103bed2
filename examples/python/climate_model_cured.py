# standoff: title: cured: the exchange is ordered by rank
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: climate done
from mpi4py import MPI
from oceanlib.model import Model


def main():
    comm = MPI.COMM_WORLD
    model = Model(comm, ordered=True)
    model.run(steps=2)
    if comm.rank == 0:
        print("climate done", flush=True)


if __name__ == "__main__":
    main()
