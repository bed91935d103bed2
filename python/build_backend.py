"""Build backend of the Python package (PEP 517, PEP 660): maturin, and before it the probe.

maturin builds the binary of one crate. The probe, the library that standoff preloads into MPI ranks, is the shared library
of another one and no Python module: it is built here and handed to maturin as a data file.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import maturin

ROOT = Path(__file__).resolve().parent.parent
# `data` in pyproject.toml; below it, `data/` is what a wheel installs to the prefix.
DATA = ROOT / "target" / "wheel-data"
PROBE = "libstandoff_probe.so"


def _build_probe():
    cargo = os.environ.get("CARGO", "cargo")
    if not shutil.which(cargo):
        raise SystemExit(
            "standoff: building from source needs Rust, and there is no `cargo` on PATH; see https://rustup.rs"
        )
    command = [cargo, "rustc", "--release", "-p", "standoff-probe", "--lib"]
    command += ["--message-format", "json-render-diagnostics", "--", "-C", "strip=debuginfo"]
    messages = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    # Cargo says where the library is: the target directory may be configured in many ways.
    built = [
        name
        for message in map(json.loads, messages.splitlines())
        if message["reason"] == "compiler-artifact"
        for name in message["filenames"]
        if os.path.basename(name) == PROBE
    ]
    if len(built) != 1:
        raise SystemExit(f"standoff: cargo should have built one {PROBE}, not {built}")
    place = DATA / "data" / "lib" / "standoff"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(built[0], place / PROBE)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _build_probe()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _build_probe()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    # maturin wants the data directory to be there, even where it takes nothing from it.
    DATA.mkdir(parents=True, exist_ok=True)
    return maturin.build_sdist(sdist_directory, config_settings)
