# standoff: title: a delete callback on COMM_SELF sends a last message from inside MPI_Finalize
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: last words: 42
import time

from mpi4py import MPI


def say_last_words(comm, keyval, value):
    time.sleep(1.0)
    MPI.COMM_WORLD.send(value, dest=0, tag=9)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 1:
        keyval = MPI.Comm.Create_keyval(delete_fn=say_last_words)
        MPI.COMM_SELF.Set_attr(keyval, 42)
        # Explicitly: the callback needs the interpreter.
        MPI.Finalize()
    else:
        print("last words:", comm.recv(source=1, tag=9), flush=True)


main()
