"""``python -m standoff`` is the command ``standoff`` of this installation."""

import os
import sys

from standoff import binary, probe


def main():
    os.environ.setdefault("STANDOFF_PROBE", str(probe()))
    command = str(binary())
    os.execv(command, [command, *sys.argv[1:]])


if __name__ == "__main__":
    main()
