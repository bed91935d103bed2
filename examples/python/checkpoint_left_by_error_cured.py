# standoff: title: a context manager ends with a barrier only where its body did, and errors are agreed upon
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: missing on [1]
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
        # Whoever comes by an error does not hold up the others, who have heard of it.
        if kind is None:
            self.size = sum(len(text) for text in self.fields.values())
            comm.Barrier()


state = {"level": "3.5"} if comm.rank != 1 else {"height": "3.5"}
missing = [rank for rank, keys in enumerate(comm.allgather(sorted(state))) if "level" not in keys]
if missing:
    if comm.rank == 0:
        print("missing on", missing)
    state["level"] = state.get("height", "")
for step in range(2):
    with Checkpoint(step) as fields:
        fields["level"] = state["level"]
        longest = comm.allreduce(len(fields["level"]), op=MPI.MAX)
if comm.rank == 0:
    print("longest", longest)
