"""After a barrier every rank receives from the next, and none sends. Just before, it writes the time to the file DIR/RANK."""

import sys
import time
from pathlib import Path

from mpi4py import MPI

comm = MPI.COMM_WORLD
with Path(sys.argv[1], str(comm.rank)).open("w") as file:
    comm.Barrier()
    print(f"{time.time():.9f}", file=file)
comm.recv(source=(comm.rank + 1) % comm.size)
