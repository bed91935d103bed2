"""Heat on a plane that is spread over a grid of ranks: ghost cells, corners included, and the particles that cross a border."""
# standoff: title: ghost cells and border crossings in a grid with standoff.comm
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 1.0 of heat, 8 particles
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import cart_halo, update_ghosts

CELLS, STEPS = 400, 3

comm = MPI.COMM_WORLD
grid = comm.Create_cart(MPI.Compute_dims(comm.size, 2), periods=[True, True])
heat = np.zeros((CELLS + 2, CELLS + 2))
if grid.rank == 0:
    heat[1, 1] = 1.0
# Each starts with two particles: (cell, velocity) along the first dimension.
particles = [(2, -1), (CELLS - 1, 1)]

for step in range(STEPS):
    update_ghosts(grid, heat)
    inner = heat[1:-1, 1:-1]
    around = [heat[1 + i : CELLS + 1 + i, 1 + j : CELLS + 1 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    inner[:] = sum(around) / 9

    moved = [(cell + velocity, velocity) for cell, velocity in particles]
    down = [(cell + CELLS, v) for cell, v in moved if cell < 1]
    up = [(cell - CELLS, v) for cell, v in moved if cell > CELLS]
    particles = [(cell, v) for cell, v in moved if 1 <= cell <= CELLS]
    # Nobody crosses the borders of the second dimension.
    (from_low, from_high), nobody = cart_halo(grid, [(down, up), ([], [])])
    assert nobody == ([], [])
    particles += from_low + from_high

total = grid.reduce(float(heat[1:-1, 1:-1].sum()), root=0)
count = grid.reduce(len(particles), root=0)
if grid.rank == 0:
    print(f"{total:.1f} of heat, {count} particles")
