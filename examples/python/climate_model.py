# standoff: title: a deadlock several calls deep, in a package of its own
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 1, 2
# standoff: victims: 0, 3
# standoff: cured: climate_model_cured
# standoff: text: recv
#
# The call that hangs is in oceanlib/exchange.py, and the mark of its line is there too.
from mpi4py import MPI
from oceanlib.model import Model


def main():
    comm = MPI.COMM_WORLD
    model = Model(comm, ordered=False)
    model.run(steps=2)
    if comm.rank == 0:
        print("climate done", flush=True)


if __name__ == "__main__":
    main()
