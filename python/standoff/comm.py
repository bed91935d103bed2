"""Communication with mpi4py that cannot hang for the order of its sends and receives, or for the size of its messages.

Each function replaces a recipe that people write by hand (docs/guide/avoid.md has them). It needs mpi4py's communicators and
nothing else: not the command ``standoff``, not its probe, no import but the standard library's. The file may be copied.

As in mpi4py, names in lower case take any object that can be pickled, and return what came; names with a capital take
buffers (numpy arrays of contiguous memory, ``bytearray``, ``[data, count, type]``) and fill the receive buffer.

What they do not cure: a partner that does not come, or that comes to another function or with another tag. All ranks that a
call names must make the same call, in the same order as other calls between them; but for ``recv`` and ``Recv``, whose
partner sends as usual.

Messages go on the communicator that is given, with the tag ``TAG`` unless ``tag`` says another. A receive of the program's own
from any source *and* with any tag could take them; a program that has such receives gives these functions a duplicate of
its communicator. No function here makes one, as that is collective.
"""

import time

__all__ = [
    "TAG",
    "Overdue",
    "exchange",
    "Exchange",
    "shift",
    "Shift",
    "cart_shift",
    "Cart_shift",
    "halo",
    "Halo",
    "cart_halo",
    "update_ghosts",
    "pairwise",
    "Pairwise",
    "recv",
    "Recv",
]

#: The tag of all messages, unless another is given. MPI promises tags up to 32767.
TAG = 32109

#: Longest pause between two looks for a message, in seconds.
_PAUSE = 1e-3


def exchange(comm, obj, peer, tag=TAG):
    """Gives ``obj`` to rank ``peer``, and returns what it gives. ``peer`` calls this, too.

    ``MPI.PROC_NULL`` as ``peer`` gives ``None``; the rank itself gets a copy.
    """
    return comm.sendrecv(obj, dest=peer, sendtag=tag, source=peer, recvtag=tag)


def Exchange(comm, sendbuf, recvbuf, peer, tag=TAG):
    """``exchange`` of buffers, which must not overlap."""
    comm.Sendrecv(sendbuf, dest=peer, sendtag=tag, recvbuf=recvbuf, source=peer, recvtag=tag)


def _ring(comm, disp):
    rank, size = comm.Get_rank(), comm.Get_size()
    return (rank - disp) % size, (rank + disp) % size


def shift(comm, obj, disp=1, tag=TAG):
    """Gives ``obj`` to the rank ``disp`` further on in the ring of all ranks, and returns what comes from ``disp`` before.

    All ranks call it, with the same ``disp``, which may be negative.
    """
    source, dest = _ring(comm, disp)
    return comm.sendrecv(obj, dest=dest, sendtag=tag, source=source, recvtag=tag)


def Shift(comm, sendbuf, recvbuf, disp=1, tag=TAG):
    """``shift`` of buffers, which must not overlap."""
    source, dest = _ring(comm, disp)
    comm.Sendrecv(sendbuf, dest=dest, sendtag=tag, recvbuf=recvbuf, source=source, recvtag=tag)


def cart_shift(cart, obj, dim=0, disp=1, tag=TAG):
    """Gives ``obj`` to the rank ``disp`` further on along ``dim`` of a Cartesian grid, and returns what comes from ``disp`` before.

    ``None`` where nothing comes over the edge of a grid that is not periodic. All ranks call it, with the same ``dim`` and ``disp``.
    """
    source, dest = cart.Shift(dim, disp)
    return cart.sendrecv(obj, dest=dest, sendtag=tag, source=source, recvtag=tag)


def Cart_shift(cart, sendbuf, recvbuf, dim=0, disp=1, tag=TAG):
    """``cart_shift`` of buffers, which must not overlap. ``recvbuf`` is left alone where nothing comes."""
    source, dest = cart.Shift(dim, disp)
    cart.Sendrecv(sendbuf, dest=dest, sendtag=tag, recvbuf=recvbuf, source=source, recvtag=tag)


def halo(comm, outgoing, tag=TAG):
    """Gives each neighbour its object, all at once: ``{rank: object}`` to ``{rank: object that came from there}``.

    Neighbours are mutual: a rank that names another is named by it. Ranks without neighbours need not call it.
    """
    requests = [comm.isend(obj, dest=peer, tag=tag) for peer, obj in outgoing.items()]
    # Nobody's send waits for a receive, so these may come in any order. (`irecv` would want to know the size.)
    incoming = {peer: comm.recv(source=peer, tag=tag) for peer in outgoing}
    for request in requests:
        request.wait()
    return incoming


def Halo(comm, buffers, tag=TAG):
    """``halo`` of buffers: ``{rank: (sendbuf, recvbuf)}``. No receive buffer may overlap another buffer."""
    requests = [comm.Irecv(recvbuf, source=peer, tag=tag) for peer, (_, recvbuf) in buffers.items()]
    requests += [comm.Isend(sendbuf, dest=peer, tag=tag) for peer, (sendbuf, _) in buffers.items()]
    for request in requests:
        request.Wait()


def cart_halo(cart, outgoing, tag=TAG):
    """Gives each neighbour in a Cartesian grid its object, all at once.

    ``outgoing`` has a pair for each dimension, for the neighbour below and the one above; so has the result, with what came
    from there, ``None`` beyond an edge. Right also where both neighbours are the same rank, or the rank itself.
    """
    if len(outgoing) != cart.Get_dim():
        raise ValueError(f"{len(outgoing)} pairs for a grid of {cart.Get_dim()} dimensions")
    sides = [cart.Shift(dim, 1) for dim in range(len(outgoing))]
    requests = [
        cart.isend(obj, dest=peer, tag=tag)
        for pair, peers in zip(outgoing, sides)
        for obj, peer in zip(pair, peers)
    ]
    incoming = []
    for low, high in sides:
        # Where both are one rank, its first message is the one to its lower neighbour, whose upper one it is.
        from_high = cart.recv(source=high, tag=tag)
        from_low = cart.recv(source=low, tag=tag)
        incoming.append((from_low, from_high))
    for request in requests:
        request.wait()
    return incoming


def update_ghosts(cart, array, width=1, tag=TAG):
    """Fills the ghost cells of a numpy array, part of a field that is spread over a Cartesian grid.

    ``array`` has ``width`` layers of ghost cells at both ends of each of the grid's dimensions, which are its first ones, and at
    least ``width`` layers of its own between them. They get the neighbours' outermost layers, corners included; beyond an
    edge of the field they are left alone. Neighbours' arrays have the same extent along the other dimensions.
    """
    for dim in range(cart.Get_dim()):
        cells = array.shape[dim]
        if width < 1 or cells < 3 * width:
            raise ValueError(f"{cells} layers along dimension {dim} do not hold ghost cells of width {width} and as many of its own")
        low, high = cart.Shift(dim, 1)
        before = (slice(None),) * dim
        down = (low, slice(width, 2 * width), high, slice(cells - width, cells))
        up = (high, slice(cells - 2 * width, cells - width), low, slice(0, width))
        # One dimension after the other, so that corners come along; layers are copied, as most are not contiguous.
        for dest, mine, source, ghost in (down, up):
            edge = array[(*before, mine)].copy()
            # Stays what it is if nothing comes.
            came = array[(*before, ghost)].copy()
            cart.Sendrecv(edge, dest=dest, sendtag=tag, recvbuf=came, source=source, recvtag=tag)
            array[(*before, ghost)] = came


def _in_order(comm, peers):
    # A rank has at most one partner in a round, and pairs meet in the same round on both sides: the pair of the lowest
    # round that is not done is not held up by any other.
    rounds = comm.Get_size()
    if comm.Is_inter():
        rounds = max(rounds, comm.Get_remote_size())
    return sorted(peers, key=lambda peer: (comm.Get_rank() + peer) % rounds)


def pairwise(comm, outgoing, tag=TAG):
    """Like ``halo``, but with one neighbour after the other, so that one message at a time needs memory.

    Each rank may have any neighbours, all others too; they are mutual.
    """
    incoming = {peer: exchange(comm, outgoing[peer], peer, tag) for peer in _in_order(comm, outgoing)}
    return {peer: incoming[peer] for peer in outgoing}


def Pairwise(comm, buffers, tag=TAG):
    """``pairwise`` of buffers: ``{rank: (sendbuf, recvbuf)}``. No receive buffer may overlap another buffer."""
    for peer in _in_order(comm, buffers):
        Exchange(comm, *buffers[peer], peer, tag)


class Overdue(TimeoutError):
    """A message did not come in time.

    ``rank`` waited ``deadline`` seconds for a message from ``source`` with ``tag``; ``None``, or MPI's constant: any.
    """

    def __init__(self, rank, source, tag, deadline):
        # MPI's constants for any are negative.
        whom = "any rank" if source is None or source < 0 else f"rank {source}"
        what = "any tag" if tag is None or tag < 0 else f"tag {tag}"
        super().__init__(f"rank {rank} got no message from {whom} ({what}) within {deadline} s")
        self.rank, self.source, self.tag, self.deadline = rank, source, tag, deadline


def _await(comm, probe, source, tag, deadline):
    wanted = {name: value for name, value in (("source", source), ("tag", tag)) if value is not None}
    end = time.monotonic() + deadline
    pause = 0.0
    while True:
        # So that what is no number is over at once.
        late = not time.monotonic() < end
        message = probe(**wanted)
        if message is not None:
            return message
        if late:
            raise Overdue(comm.Get_rank(), source, tag, deadline)
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause + _PAUSE / 100, _PAUSE)


def recv(comm, source=None, tag=None, *, deadline, status=None):
    """Like ``comm.recv``, but raises ``Overdue`` (a ``TimeoutError``) if nothing has come after ``deadline`` seconds.

    A message that comes later can still be received. ``None`` is any source, any tag. The sender needs nothing of this module.
    """
    return _await(comm, comm.improbe, source, tag, deadline).recv(status)


def Recv(comm, recvbuf, source=None, tag=None, *, deadline, status=None):
    """``recv`` into a buffer."""
    _await(comm, comm.Improbe, source, tag, deadline).Recv(recvbuf, status)
