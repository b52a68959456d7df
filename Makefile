# make quickstart   see the whole recipe on the embedded mini world
# make test         run the tests
# Both make the virtual environment and install into it when needed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The pinned torch of constraints.txt. Where pip offers the GPU build and a CPU build is wanted, name its wheel:
#   make quickstart TORCH=path/to/torch-cpu.whl
TORCH ?= $(shell sed -n '/^torch==/p' constraints.txt)

# Extra arguments: make quickstart ARGS="seeds=[1,2]"   make test ARGS="-k metrics"
ARGS ?=
WORKERS ?= 2

# Tests that read the shared real data skip themselves, with a reason, where there is none.
SHARED := $(or $(ADAPTSTILTS_SHARED),$(abspath $(wildcard ../shared)))

.DEFAULT_GOAL := help
.PHONY: help install quickstart test slow lint format pages clean

help:  ## list what make can do here
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

install: $(STAMP)  ## make the virtual environment and install the package with its tools

quickstart: $(STAMP)  ## full models, adapters and fusion side by side on the mini world
	$(BIN)/adaptstilts run configs/quickstart.yaml $(ARGS)

test: $(STAMP)  ## run the tests
	OMP_NUM_THREADS=1 $(if $(SHARED),ADAPTSTILTS_SHARED=$(SHARED)) $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

slow: $(STAMP)  ## run the tests that take minutes: an installed wheel, every backbone, Ray
	OMP_NUM_THREADS=1 $(if $(SHARED),ADAPTSTILTS_SHARED=$(SHARED)) $(BIN)/python -m pytest -m slow $(ARGS)

lint: $(STAMP)  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## mend style and format where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pages: $(STAMP)  ## write docs/settings.md and the table of configs/README.md again
	$(BIN)/python -m adaptstilts.api.pages

clean:  ## remove the environment and caches; results below checkpoints/ stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find adaptstilts tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
