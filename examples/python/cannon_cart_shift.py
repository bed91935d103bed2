"""Cannon's algorithm: blocks of two matrices are shifted along the rows and columns of a grid of ranks."""
# standoff: title: a matrix product by shifts in a grid with standoff.comm
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: the product is right
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import Cart_shift, cart_shift

BLOCK = 180

comm = MPI.COMM_WORLD
side = int(comm.size**0.5)
grid = comm.Create_cart([side, side], periods=[True, True])
row, column = grid.Get_coords(grid.rank)

whole = np.arange((side * BLOCK) ** 2, dtype=float).reshape(side * BLOCK, -1) % 7
other = whole.T.copy()


def block(matrix, i, j):
    return matrix[i * BLOCK : (i + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK].copy()


# Row i is skewed by i to the left, column j by j upwards.
a, b = block(whole, row, (column + row) % side), block(other, (row + column) % side, column)
origin = (column + row) % side
product = np.zeros((BLOCK, BLOCK))
for step in range(side):
    product += a @ b
    next_a, next_b = np.empty_like(a), np.empty_like(b)
    Cart_shift(grid, a, next_a, dim=1, disp=-1)
    Cart_shift(grid, b, next_b, dim=0, disp=-1)
    origin = cart_shift(grid, origin, dim=1, disp=-1)
    a, b = next_a, next_b

assert origin == (column + row) % side
right = np.array_equal(product, block(whole @ other, row, column))
if grid.allreduce(right, op=MPI.LAND) and grid.rank == 0:
    print("the product is right")
