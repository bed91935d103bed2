# standoff: title: a context manager ends with a barrier, which one rank comes to by an exception inside
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: checkpoint_left_by_error_cured
# standoff: text: Rank 1 is handling KeyError: 'level', raised at
# standoff: text: checkpoint_left_by_error.py:34
#
# No traceback was printed so far: the exception waits for `__exit__` to return, which waits for the others.
from mpi4py import MPI

comm = MPI.COMM_WORLD


class Checkpoint:
    """Nobody goes on before all have written."""

    def __init__(self, step):
        self.name = f"step-{step}-{comm.rank}"
        self.fields = {}

    def __enter__(self):
        return self.fields

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.size = sum(len(text) for text in self.fields.values())
        comm.Barrier()  # @core 1


state = {"level": "3.5"} if comm.rank != 1 else {"height": "3.5"}
for step in range(2):
    with Checkpoint(step) as fields:
        fields["level"] = state["level"]
        longest = comm.allreduce(len(fields["level"]), op=MPI.MAX)  # @core 0, 2, 3
if comm.rank == 0:
    print("longest", longest)
