"""Ranks 0-2 of 4 make a communicator for the ocean model; rank 2 waits first for a message that rank 0 sends afterwards.

Rank 3 has nothing to do with it, and computes.
"""
# standoff: title: create_group, a member waits for a message instead
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: cured: create_group_one_elsewhere_cured.py
# standoff: text: Create_group
import time

from mpi4py import MPI

world = MPI.COMM_WORLD
ocean_ranks = world.group.Incl([0, 1, 2])

if world.rank == 3:
    time.sleep(3)  # the atmosphere
else:
    if world.rank == 2:
        mesh = world.recv(source=0, tag=4)  # @core 2
    ocean = world.Create_group(ocean_ranks, tag=9)  # @core 0
    if world.rank == 0:
        world.send({"cells": 1200}, dest=2, tag=4)
    cells = ocean.allreduce(400)
    if ocean.rank == 0:
        print("cells", cells)
