# standoff: title: the thread that sends the results dies of an exception; the main threads wait for it
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: needs: thread-multiple
# standoff: cured: sender_thread_dies_cured
# standoff: text: rank 1
import json
import threading
from mpi4py import MPI

comm = MPI.COMM_WORLD


def send_results(results):
    for name, value in results.items():
        comm.send(json.dumps({name: value}), dest=0, tag=3)


if comm.rank == 1:
    results = {"mean": 2.5, "values": {1, 2, 4}, "max": 4}
    sender = threading.Thread(target=send_results, args=(results,))
    sender.start()
    comm.recv(source=0, tag=4)  # @core 1
    sender.join()
else:
    table = [json.loads(comm.recv(source=1, tag=3)) for _ in range(3)]  # @core 0
    comm.send("thanks", dest=1, tag=4)
    print("rows", len(table), flush=True)
