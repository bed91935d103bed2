"""8-byte ping-pong between two ranks, with Send/Recv (`array`) or send/recv (`object`):
nanoseconds a message, in the fastest of many batches."""

import sys
from time import perf_counter

import numpy
from mpi4py import MPI

SECONDS, ROUNDS = 0.4, 50

comm = MPI.COMM_WORLD
rank, peer = comm.rank, 1 - comm.rank
data = numpy.zeros(1)


def arrays():
    for _ in range(ROUNDS):
        if rank == 0:
            comm.Send(data, dest=peer)
            comm.Recv(data, source=peer)
        else:
            comm.Recv(data, source=peer)
            comm.Send(data, dest=peer)


def objects():
    for _ in range(ROUNDS):
        if rank == 0:
            comm.send(1.5, dest=peer)
            comm.recv(source=peer)
        else:
            comm.recv(source=peer)
            comm.send(1.5, dest=peer)


run = {"array": arrays, "object": objects}[sys.argv[1]]
run()
best, end = float("inf"), perf_counter() + SECONDS
while comm.bcast(perf_counter() < end):
    comm.Barrier()
    begin = perf_counter()
    run()
    best = min(best, perf_counter() - begin)
if rank == 0:
    print(best * 1e9 / (2 * ROUNDS))
