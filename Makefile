# One command each. Every one first sees to what it needs: `tools/setup` installs what is missing and says so.
#
#   make hil                 the scenarios on the virtual board; ARGS='--hil-bench bench.toml': on your own
#   make hil FAULT=name      … with a fault in the virtual board
#   make test                hil's own tests, without a bench
#   make soak                the long proofs: every fault at two timings and from a file, the tests of vhci_hcd, half an hour of fuzzing
#   make firmware            the firmware's checks alone, with the compilers that they need
#   make bench               what hil costs, against a bare loop and a bare pytest
#   make check               style, types, import contracts
#   make venv                .venv alone: all that a bench of your own needs
#   make fix                 what of that can be mended by a tool
#
# ARGS='…' goes to pytest; SCENARIOS=tests/hil/test_replug.py runs only those.

BIN = .venv/bin
FAULT =
ARGS =
# Named, because collecting all other tests takes an emulated machine half a minute.
SCENARIOS = tests/hil

.PHONY: help hil test soak firmware bench check fix venv machine tests
help:
	@sed -n 's/^#   //p' Makefile

hil: machine
	$(BIN)/pytest -p no:hypothesispytest -m "hil and not soak" $(if $(FAULT),--hil-virtual-fault $(FAULT)) $(ARGS) $(SCENARIOS)

test: tests
	$(BIN)/pytest -m "not soak" $(ARGS)

soak: tests
	$(BIN)/pytest -m soak $(ARGS)

firmware: venv
	@tools/setup firmware
	$(BIN)/pytest -m "not soak" $(ARGS) tests/firmware

bench: venv
	$(BIN)/python tests/bench/run.py

check: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: venv
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

venv machine tests:
	@tools/setup $@
