"""Transforms of mpi4py-fft on distributed arrays, compared with numpy's of the whole array; for `scripts/conformance`."""

import numpy
from mpi4py import MPI
from mpi4py_fft import PFFT, newDistArray

comm = MPI.COMM_WORLD


def check(shape, dtype, slab):
    fft = PFFT(comm, shape, dtype=dtype, slab=slab)
    whole = numpy.random.default_rng(7).random(shape)
    if dtype in "FD":
        whole = whole + 1j * whole[::-1]
    local = newDistArray(fft, False)
    local[...] = whole[local.local_slice()]
    spectrum = fft.forward(local, newDistArray(fft, True), normalize=False)
    expected = (numpy.fft.fftn if dtype in "FD" else numpy.fft.rfftn)(whole)
    tolerance = 1e-3 if dtype in "fF" else 1e-9
    there = numpy.allclose(spectrum, expected[spectrum.local_slice()], rtol=tolerance, atol=tolerance * whole.size)
    back = fft.backward(spectrum, newDistArray(fft, False), normalize=True)
    again = numpy.allclose(back, whole[back.local_slice()], rtol=tolerance, atol=tolerance)
    for name, right in ("forward", there), ("back", again):
        right = comm.allreduce(right, MPI.LAND)
        if comm.rank == 0:
            print("ok" if right else "failed", name, shape, dtype, "slab" if slab else "pencil", flush=True)


for shape in (16, 18, 20), (13, 12, 11), (30, 28):
    for dtype in "fdFD":
        for slab in (True, False):
            check(shape, dtype, slab)
