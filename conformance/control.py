"""What a conformance run must notice: a request that is never completed (a warning), and an answer that is another under standoff."""

import os
import sys

from mpi4py import MPI

comm = MPI.COMM_WORLD
request = MPI.COMM_SELF.Isend(b"x", dest=0)
MPI.COMM_SELF.Recv(bytearray(1), source=0)
if comm.rank == 0:
    print("ok" if "STANDOFF_SESSION" in os.environ else "failed", "answer")
    sys.stdout.flush()
# Kept until the end, so that it is not completed by its destructor either.
sys.modules["kept"] = request
