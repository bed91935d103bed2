# standoff: title: a pipeline stage receives from the wrong stage, which has already finished
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 2
# standoff: left: 0
# standoff: victims: 1, 3
# standoff: cured: pipeline_wrong_source_cured
# standoff: text: rank 0
from mpi4py import MPI

comm = MPI.COMM_WORLD


def stage(rank):
    if rank == 0:
        item = 0
    else:
        before = rank - 1 if rank != 2 else 0
        item = fetch(before) + 1
    if rank + 1 < comm.size:
        comm.send(item, dest=rank + 1)
    else:
        print("result", item, flush=True)


def fetch(before):
    return comm.recv(source=before)  # @core 2


stage(comm.rank)
