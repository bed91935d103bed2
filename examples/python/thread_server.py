# standoff: title: main threads wait for each other while their server threads answer
# standoff: ranks: 3
# standoff: expect: clean
# standoff: needs: thread-multiple
# standoff: stdout: all answered
import threading
import time
from mpi4py import MPI

QUESTION, ANSWER, STOP = 1, 2, 3


def main():
    world = MPI.COMM_WORLD
    assert MPI.Query_thread() == MPI.THREAD_MULTIPLE
    questions, answers = world.Dup(), world.Dup()

    def loop():
        status = MPI.Status()
        while True:
            question = questions.recv(source=MPI.ANY_SOURCE, status=status)
            if status.tag == STOP:
                return
            time.sleep(0.6)
            answers.send(question + 1, dest=status.source, tag=ANSWER)

    thread = threading.Thread(target=loop)
    thread.start()
    right = (world.rank + 1) % world.size
    for i in range(2):
        questions.send(i, dest=right, tag=QUESTION)
        assert answers.recv(source=right, tag=ANSWER) == i + 1
    world.Barrier()
    questions.send(None, dest=world.rank, tag=STOP)
    thread.join()
    if world.rank == 0:
        print("all answered", flush=True)


main()
