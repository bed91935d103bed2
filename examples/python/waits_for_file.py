# standoff: title: a rank waits for a file that its own subprocess writes later
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: read 'ready'
import os
import subprocess
import tempfile
import time
from mpi4py import MPI


def await_file(path):
    while not os.path.exists(path):
        time.sleep(0.05)
    with open(path) as f:
        return f.read()


def main():
    comm = MPI.COMM_WORLD
    text = None
    if comm.rank == 2:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "flag")
            script = 'sleep 1.5; printf ready > "$0.part"; mv "$0.part" "$0"'
            child = subprocess.Popen(["sh", "-c", script, path])
            text = await_file(path)
            child.wait()
    text = comm.bcast(text, root=2)
    if comm.rank == 0:
        print("read", repr(text), flush=True)


main()
