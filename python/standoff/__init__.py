"""standoff finds deadlocks in MPI programs, mpi4py's first.

The tool is the command ``standoff``; this package says where its parts are. ``standoff.comm`` is for MPI programs: calls
that cannot deadlock by their order. It works without the command.
"""

from importlib import metadata
from pathlib import Path

__all__ = ["__version__", "binary", "probe"]


def __getattr__(name):
    # When asked for, so that `standoff.comm` can be imported where nothing is installed.
    if name == "__version__":
        return metadata.version("standoff")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _installed(name):
    """The installed file of this name, wherever the installation put it."""
    for file in metadata.files("standoff") or ():
        path = Path(file.locate())
        if file.name == name and path.is_file():
            return path.resolve()
    raise FileNotFoundError(f"{name} is not among the installed files of standoff {metadata.version('standoff')}")


def binary():
    """The path of the command."""
    return _installed("standoff")


def probe():
    """The path of the library that is preloaded into MPI ranks."""
    return _installed("libstandoff_probe.so")
