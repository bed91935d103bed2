"""Runs tests of Python's unittest under MPI and writes down what became of each, for `scripts/conformance`.

    mpiexec -n N python recorder.py RESULTS SCRIPT [ARGUMENTS]

SCRIPT is what would have been started itself. Each rank writes RESULTS/rank-N, one line a test as it ends: what came
of it, a tab, its name. (unittest prints the same to standard error, where the ranks' lines are mixed and cannot be
told apart.)
"""

import os
import runpy
import sys
import unittest

results, script = sys.argv[1:3]


class Recorder(unittest.TextTestResult):
    file = None

    def note(self, outcome, test):
        if self.file is None:
            from mpi4py import MPI

            name = f"rank-{MPI.COMM_WORLD.Get_rank()}"
            # By line: what a rank that crashes or hangs did before is there to be read.
            Recorder.file = open(os.path.join(results, name), "w", buffering=1)
        print(outcome, test.id(), sep="\t", file=self.file)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note("ok", test)

    def addError(self, test, err):
        super().addError(test, err)
        self.note("error", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("failed", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", test)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note("expected failure", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note("unexpected success", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        # A subtest that passes is part of its test, which is noted itself.
        if err is not None:
            self.note("failed", subtest)


unittest.TextTestRunner.resultclass = Recorder
sys.argv[:] = [script, *sys.argv[3:]]
sys.path[0] = os.path.dirname(script)
runpy.run_path(script, run_name="__main__")
