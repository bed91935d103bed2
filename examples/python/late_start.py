# standoff: title: one rank begins MPI two seconds after all others
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: complete
import os
import time

if os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "2":
    time.sleep(2.0)

from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    comm.recv(source=2)
    print("complete", flush=True)
if comm.rank == 2:
    comm.send("here", dest=0)
