# standoff: title: a large standard send waits two seconds for its receiver
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: 8388608 bytes
import time
from mpi4py import MPI

SIZE = 8 * 1024 * 1024


def main():
    comm = MPI.COMM_WORLD
    buffer = bytearray(SIZE)
    if comm.rank == 0:
        comm.Send(buffer, dest=1)
    else:
        time.sleep(2.0)
        comm.Recv(buffer, source=0)
        print(len(buffer), "bytes", flush=True)


main()
