# standoff: title: a thread that only writes a log runs beside main threads that wait for a slow rank
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: log of 3 lines
import queue
import threading
import time
from mpi4py import MPI


class Log:
    def __init__(self):
        self.lines, self.queue = [], queue.Queue()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        for line in iter(self.queue.get, None):
            self.lines.append(line)

    def close(self):
        self.queue.put(None)
        self.thread.join()
        return len(self.lines)


comm = MPI.COMM_WORLD
log = Log()
for step in range(3):
    if comm.rank == step:
        time.sleep(0.6)
    comm.Barrier()
    log.queue.put(f"step {step}")
lines = log.close()
if comm.rank == 0:
    print("log of", lines, "lines", flush=True)
