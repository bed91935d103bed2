# standoff: title: a rank starts Python processes and waits for them, the others wait for the rank
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: children said 0 1 4
import subprocess
import sys
from mpi4py import MPI

CHILD = "import sys, time; time.sleep(0.6); print(int(sys.argv[1]) ** 2)"


def child(n):
    out = subprocess.run([sys.executable, "-c", CHILD, str(n)], stdout=subprocess.PIPE, check=True)
    return int(out.stdout)


def main():
    comm = MPI.COMM_WORLD
    answers = [child(n) for n in range(3)] if comm.rank == 1 else None
    answers = comm.bcast(answers, root=1)
    if comm.rank == 0:
        print("children said", *answers, flush=True)


main()
