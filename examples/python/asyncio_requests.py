# standoff: title: an asyncio loop awaits requests by testing them, while it does other things
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: answers [10, 20] ticks True
import asyncio
import time
from mpi4py import MPI

comm = MPI.COMM_WORLD


async def completed(request):
    while True:
        done, message = request.test()
        if done:
            return message
        await asyncio.sleep(0.005)


async def tick(stop):
    ticks = 0
    while not stop.is_set():
        ticks += 1
        await asyncio.sleep(0.05)
    return ticks


async def client():
    stop = asyncio.Event()
    ticking = asyncio.create_task(tick(stop))
    answers = await asyncio.gather(*(completed(comm.irecv(source=s)) for s in (1, 2)))
    stop.set()
    print("answers", answers, "ticks", await ticking > 5, flush=True)


if comm.rank == 0:
    asyncio.run(client())
else:
    time.sleep(0.7 * comm.rank)
    comm.send(10 * comm.rank, dest=0)
