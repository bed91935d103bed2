# standoff: title: two ranks poll with sleeps for a message that comes late
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: arrived
import time
from mpi4py import MPI


def patient_wait(request):
    while True:
        done, message = request.test()
        if done:
            return message
        time.sleep(0.02)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        time.sleep(2.0)
        for worker in (1, 2):
            comm.send("input", dest=worker)
        comm.recv(source=2)
        print("arrived", flush=True)
    else:
        patient_wait(comm.irecv(source=0))
        if comm.rank == 2:
            comm.send("thanks", dest=0)


main()
