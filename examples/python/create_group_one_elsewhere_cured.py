"""Ranks 0-2 of 4 make a communicator for the ocean model; the mesh is sent before.

Rank 3 has nothing to do with it, and computes.
"""
# standoff: title: create_group, message first
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: cells 1200
import time

from mpi4py import MPI

world = MPI.COMM_WORLD
ocean_ranks = world.group.Incl([0, 1, 2])

if world.rank == 3:
    time.sleep(3)  # the atmosphere
else:
    if world.rank == 0:
        world.send({"cells": 1200}, dest=2, tag=4)
    if world.rank == 2:
        mesh = world.recv(source=0, tag=4)
    ocean = world.Create_group(ocean_ranks, tag=9)
    cells = ocean.allreduce(400)
    if ocean.rank == 0:
        print("cells", cells)
