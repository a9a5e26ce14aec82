# One command for everything; each does its own set-up in .venv.  Needs Python 3.11 or newer, git, make; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
unexport PYTHONDONTWRITEBYTECODE  # else each of the hundreds of processes that the tests start compiles all modules anew

.DEFAULT_GOAL := help
.PHONY: help setup verify test lint bench pictures output clean

help:  ## Print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY)  ## Make .venv, with the safepoint command, and what it and the tests need, in it; nothing else

verify: $(READY)  ## The main job: hold the protocol, its mutants and the interpreter to their claims (3 minutes)
	$(BIN)/safepoint verify --quick

test: lint  ## Lint, types and every test; what CI runs (12 minutes)
	$(BIN)/python -m pytest -n auto --dist worksteal --hypothesis-profile=ci

lint: $(READY)  ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## Time the interpreter, beside others that are installed, the explorers, the acceptor, the collector and stops
	$(BIN)/safepoint bench
	$(BIN)/python bench/cost.py
	$(BIN)/python bench/explorers.py
	$(BIN)/python -m bench.acceptor
	$(BIN)/python bench/collector.py
	$(BIN)/python bench/stops.py

pictures: $(READY)  ## Make the pictures of docs/ and its table of rooms anew
	$(BIN)/python -m tools.pictures

output: $(READY)  ## Make docs/verify-output.md anew: the whole output of make verify
	$(BIN)/safepoint verify --quick >$(VENV)/output
	$(BIN)/python -m tests.meta.output <$(VENV)/output

clean:  ## Remove all that make, the tests and the tools have made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find spec impl tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The build backend comes from constraints.txt too, hence no build isolation.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or newer is needed: make PYTHON=python3.11 …' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) hatchling editables
	$(PIP) --no-build-isolation -e '.[vm,test,fast]'
	@touch $@
