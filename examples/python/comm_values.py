"""What each function of standoff.comm gives, with small messages and with some above every library's eager limit."""
# standoff: title: the results of standoff.comm
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: all values are right
import numpy as np
from mpi4py import MPI

from standoff import comm as safe

comm = MPI.COMM_WORLD
rank, size = comm.rank, comm.size


def data(owner, what, length):
    """As `owner` has it, told from that of others and from other messages."""
    return np.arange(length, dtype=np.int64) + 1_000_003 * owner + 17 * what


def same(came, owner, what, length):
    assert np.array_equal(came, data(owner, what, length)), (rank, owner, what, length, came)


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as raised:
        return raised
    raise AssertionError(f"{call.__name__} did not raise {error.__name__}")


def pairs(length):
    # With an odd number of ranks the last is alone.
    peer = rank ^ 1 if rank ^ 1 < size else MPI.PROC_NULL
    got = safe.exchange(comm, data(rank, 1, length), peer)
    buffer = np.full(length, -1)
    safe.Exchange(comm, data(rank, 2, length), buffer, peer, tag=5)
    if peer == MPI.PROC_NULL:
        assert got is None and (buffer == -1).all()
    else:
        same(got, peer, 1, length)
        same(buffer, peer, 2, length)
    same(safe.exchange(comm, data(rank, 3, length), rank), rank, 3, length)


def rings(length):
    for disp in (1, -1, 2, size, -size - 1):
        same(safe.shift(comm, data(rank, 1, length), disp), (rank - disp) % size, 1, length)
        buffer = np.full(length, -1)
        safe.Shift(comm, data(rank, 2, length), buffer, disp)
        same(buffer, (rank - disp) % size, 2, length)


def grids(length):
    for periodic in (False, True):
        dims = MPI.Compute_dims(size, 2)
        cart = comm.Create_cart(dims, periods=[periodic] * 2)
        me = cart.rank
        for dim in range(2):
            low, high = cart.Shift(dim, 1)
            got = safe.cart_shift(cart, data(me, 1, length), dim)
            buffer = np.full(length, -1)
            safe.Cart_shift(cart, data(me, 2, length), buffer, dim, -1)
            if low == MPI.PROC_NULL:
                assert got is None
            else:
                same(got, low, 1, length)
            if high == MPI.PROC_NULL:
                assert (buffer == -1).all()
            else:
                same(buffer, high, 2, length)
        # What goes to the lower neighbour differs from what goes to the upper one, even if they are one rank.
        sent = [(data(me, 10 * d, length), data(me, 10 * d + 1, length)) for d in range(2)]
        for dim, (from_low, from_high) in enumerate(safe.cart_halo(cart, sent)):
            low, high = cart.Shift(dim, 1)
            if low == MPI.PROC_NULL:
                assert from_low is None
            else:
                same(from_low, low, 10 * dim + 1, length)
            if high == MPI.PROC_NULL:
                assert from_high is None
            else:
                same(from_high, high, 10 * dim, length)
        assert "1 pairs" in str(refused(ValueError, safe.cart_halo, cart, [(1, 2)]))
        ghosts(cart, dims, periodic, 300 if length > 1 else 4)
        cart.Free()


def ghosts(cart, dims, periodic, cells):
    """Against the whole field, padded as its edges say."""
    for width in (1, 2):
        shape = [cells * dims[0], (cells + 1) * dims[1], 3]
        whole = np.arange(np.prod(shape), dtype=float).reshape(shape)
        pad = [(width, width), (width, width), (0, 0)]
        whole = np.pad(whole, pad, mode="wrap") if periodic else np.pad(whole, pad, constant_values=-1)
        at = cart.Get_coords(cart.rank)
        part = tuple(slice(c * n, c * n + n + 2 * width) for c, n in zip(at, (cells, cells + 1)))
        array = np.full((cells + 2 * width, cells + 1 + 2 * width, 3), -1.0)
        own = (slice(width, -width),) * 2
        array[own] = whole[part][own]
        # A view with strides, as fields often are.
        for target in (array.copy(), np.asfortranarray(array)):
            safe.update_ghosts(cart, target, width)
            assert np.array_equal(target, whole[part]), (cart.rank, width, periodic)
    refused(ValueError, safe.update_ghosts, cart, np.zeros((5, 5)), 2)
    refused(ValueError, safe.update_ghosts, cart, np.zeros((5, 5)), 0)


def neighbourhoods(length):
    # All of all; only those at odd distance; nobody for rank 0.
    everybody = range(size)
    odd = [r for r in everybody if (r - rank) % 2]
    without = [r for r in everybody if r and rank and r != rank]
    for peers in (everybody, odd, without):
        peers = list(reversed(peers))
        for call in (safe.halo, safe.pairwise):
            came = call(comm, {peer: data(rank, peer, length) for peer in peers})
            assert list(came) == peers
            for peer, got in came.items():
                same(got, peer, rank, length)
        for call in (safe.Halo, safe.Pairwise):
            buffers = {peer: (data(rank, peer, length), np.full(length, -1)) for peer in peers}
            call(comm, buffers)
            for peer, (_, got) in buffers.items():
                same(got, peer, rank, length)


def between_groups(length):
    """The same over an intercommunicator of two groups of different size."""
    first = max(1, size // 3)
    local = comm.Split(rank >= first, rank)
    inter = local.Create_intercomm(0, comm, first if rank < first else 0, 99)
    theirs = 0 if rank >= first else first
    peers = range(inter.remote_size)
    for call in (safe.halo, safe.pairwise):
        for peer, got in call(inter, {peer: data(rank, peer, length) for peer in peers}).items():
            same(got, theirs + peer, local.rank, length)
    inter.Free()
    local.Free()


def deadlines(length):
    if rank == 0:
        late = refused(safe.Overdue, safe.recv, comm, source=1, tag=3, deadline=0.02)
        assert isinstance(late, TimeoutError)
        assert (late.rank, late.source, late.tag, late.deadline) == (0, 1, 3, 0.02)
        assert str(late) == "rank 0 got no message from rank 1 (tag 3) within 0.02 s"
        late = refused(safe.Overdue, safe.Recv, comm, bytearray(1), deadline=0)
        assert str(late) == "rank 0 got no message from any rank (any tag) within 0 s"
    comm.Barrier()
    if rank == 1:
        comm.send(data(1, 1, length), dest=0, tag=3)
        comm.Send(data(1, 2, length), dest=0, tag=4)
    elif rank == 0:
        status = MPI.Status()
        buffer = np.empty(length, dtype=np.int64)
        same(safe.recv(comm, 1, 3, deadline=60, status=status), 1, 1, length)
        assert (status.Get_source(), status.Get_tag()) == (1, 3)
        safe.Recv(comm, buffer, deadline=60, status=status)
        assert (status.Get_source(), status.Get_tag()) == (1, 4)
        same(buffer, 1, 2, length)


for length in (1, 32_768):  # 8 bytes, and 256 KiB
    for part in (pairs, rings, grids, neighbourhoods, between_groups, deadlines):
        part(length)
if comm.reduce(1, root=0) == size:
    print("all values are right")
