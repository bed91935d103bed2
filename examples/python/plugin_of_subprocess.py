# standoff: title: each rank in turn runs a helper program and feeds it, while the others wait for their turn
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: report 6 lines
import subprocess
import sys
from mpi4py import MPI

HELPER = "import sys, time; time.sleep(0.4); print(len(sys.stdin.readlines()))"

comm = MPI.COMM_WORLD
count = comm.recv(source=comm.rank - 1) if comm.rank else 0
lines = "line\n" * (1 + comm.rank)
done = subprocess.run([sys.executable, "-c", HELPER], input=lines, capture_output=True, text=True, check=True)
count += int(done.stdout)
if comm.rank < comm.size - 1:
    comm.send(count, dest=comm.rank + 1)
comm.Barrier()
if comm.rank == comm.size - 1:
    print("report", count, "lines", flush=True)
