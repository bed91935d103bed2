# standoff: title: rank 0 reads standard input slowly, the others wait for its words
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdin: alpha beta gamma\n
# standoff: stdout: ALPHA BETA GAMMA
#
# It reads one line and not to the end, which not every launcher passes on.
import sys
import time
from mpi4py import MPI


def words_of_stdin():
    """The words of one line as they come, with a pause after each, as a person would make."""
    word = ""
    while True:
        letter = sys.stdin.read(1)
        if letter and not letter.isspace():
            word += letter
            continue
        if word:
            time.sleep(0.5)
            yield word
            word = ""
        if letter in ("", "\n"):
            return


def serve(comm):
    words = []
    for i, word in enumerate(words_of_stdin()):
        worker = 1 + i % (comm.size - 1)
        comm.send(word, dest=worker)
        words.append(comm.recv(source=worker))
    for worker in range(1, comm.size):
        comm.send(None, dest=worker)
    print(*words, flush=True)


def work(comm):
    while True:
        word = comm.recv(source=0)
        if word is None:
            return
        comm.send(word.upper(), dest=0)


comm = MPI.COMM_WORLD
serve(comm) if comm.rank == 0 else work(comm)
