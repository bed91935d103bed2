# standoff: title: it takes part with no bytes
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: bytes 24
import os
import tempfile
from mpi4py import MPI


def rows_of(rank):
    return [f"{rank}:{i}\n" for i in range([3, 0, 2, 1][rank])]


def write_table(comm, path):
    text = "".join(rows_of(comm.rank)).encode()
    start = comm.exscan(len(text)) or 0
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
