"""Files of parallel HDF5 written by all ranks and read back by others, through h5py; for `scripts/conformance`."""

import os

import numpy
from mpi4py import MPI

import h5py

comm = MPI.COMM_WORLD
rank, size = comm.rank, comm.size


def say(name, right):
    right = comm.allreduce(bool(right), MPI.LAND)
    if rank == 0:
        print("ok" if right else "failed", name, flush=True)


def check(layout, collective, dtype):
    name = "check.h5"
    options = {"chunks": (4, 5)} if layout == "chunked" else {}
    rows = 6
    with h5py.File(name, "w", driver="mpio", comm=comm) as file:
        data = file.create_dataset("data", (rows * size, 10), dtype, **options)
        file.attrs["size"] = size
        part = numpy.arange(rows * 10).reshape(rows, 10) % 97 + rank
        mine = slice(rank * rows, (rank + 1) * rows)
        if collective:
            with data.collective:
                data[mine] = part
        else:
            data[mine] = part
        # Rows of all ranks in turn, too: their pieces interleave in the file.
        rows_of_all = file.create_dataset("turns", (rows, size), dtype, **({"chunks": (2, 1)} if options else {}))
        with rows_of_all.collective:
            rows_of_all[:, rank] = numpy.arange(rows) * size + rank
    with h5py.File(name, "r", driver="mpio", comm=comm) as file:
        other = (rank + 1) % size
        got = file["data"][other * rows : (other + 1) * rows]
        right = numpy.array_equal(got, (numpy.arange(rows * 10).reshape(rows, 10) % 97 + other).astype(dtype))
        turns = numpy.array_equal(file["turns"][...].ravel(), numpy.arange(rows * size).astype(dtype))
        attribute = file.attrs["size"] == size
    how = f"{layout} {'collective' if collective else 'independent'} {dtype}"
    say(f"rows {how}", right)
    say(f"turns {how}", turns)
    say(f"attribute {how}", attribute)


for layout in "contiguous", "chunked":
    for collective in True, False:
        for dtype in "i4", "f8":
            check(layout, collective, dtype)
comm.Barrier()
if rank == 0:
    os.remove("check.h5")
