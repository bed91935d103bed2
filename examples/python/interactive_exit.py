# standoff: title: a rank leaves by exit(), which is not sys.exit: its last communication says where it was
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-1
# standoff: left: 2
# standoff: cured: settings_exit_cured
# standoff: text: The last communication of rank 2 was comm.bcast at
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    parts = comm.bcast([[1], [2], []] if comm.rank == 0 else None)
    if not parts[comm.rank]:
        raise SystemExit(1)
    print(comm.allreduce(parts[comm.rank][0]), flush=True)  # @core 0-1


main()
