# standoff: title: a rank with nothing to write returns before the offsets are computed
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2, 3
# standoff: left: 1
# standoff: cured: exscan_without_rows_cured
# standoff: text: rank 1
import os
import tempfile
from mpi4py import MPI


def rows_of(rank):
    return [f"{rank}:{i}\n" for i in range([3, 0, 2, 1][rank])]


def write_table(comm, path):
    text = "".join(rows_of(comm.rank)).encode()
    if not text:
        return 0
    start = comm.exscan(len(text)) or 0  # @core 0, 2, 3
    end = comm.allreduce(start + len(text), op=MPI.MAX)
    table = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.pwrite(table, text, start)
    os.close(table)
    comm.Barrier()
    return end


def main():
    comm = MPI.COMM_WORLD
    path = os.path.join(tempfile.gettempdir(), f"table-{os.getppid()}")
    size = write_table(comm, path)
    if comm.rank == 0:
        os.remove(path)
        print("bytes", size, flush=True)


main()
