# Everything a developer or a newcomer runs. Needs python3 (3.11 or newer), its venv module, make, and the network once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One more than there are cores: tests that start processes and browsers wait a good part of their time.
CORES  := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
SIDES  := --numprocesses=$(shell expr $(CORES) + 1) --maxprocesses=4 --dist=worksteal
UV     := UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 $(BIN)/uv --quiet
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help run test check lint format bench kills simulate clean

help:            ## This list.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.runs   ## Start the desk. ARGS="--config my.toml" is passed on.
	@exec $(BIN)/deskbridge run $(ARGS)

test: $(VENV)/.tests ## Run the tests on SQLite and PostgreSQL. ARGS="-k name" is passed on.
	@exec $(BIN)/pytest $(SIDES) $(ARGS)

check: lint test     ## Everything that must hold before a commit.

lint: $(VENV)/.tests ## Style, types and ranks, without the tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.tests ## Put the code into its form.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.tests  ## Measure. ARGS is passed on.
	@exec $(BIN)/python -m bench $(ARGS)

kills: $(VENV)/.tests  ## Kill the desk a thousand times. ARGS="--kills 100 --seed 7" is passed on.
	@exec $(BIN)/python -m tests.faults $(ARGS)

simulate: $(VENV)/.tests ## A million steps in all weathers, each seed replayable. ARGS is passed on.
	@exec $(BIN)/python -m tests.simulation $(ARGS)

clean:           ## Remove what was built. Data and configuration stay.
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find bot core tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# What is needed to run, and on top of it what is needed to test.
$(VENV)/.runs: $(BIN)/uv pyproject.toml uv.lock
	@echo "Installing what Deskbridge needs into $(VENV) …"
	@$(UV) sync --frozen --no-dev --inexact
	@touch $@

$(VENV)/.tests: $(BIN)/uv pyproject.toml uv.lock
	@echo "Installing what the tests need into $(VENV) …"
	@$(UV) sync --frozen --inexact
	@touch $@ $(VENV)/.runs

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Deskbridge needs Python 3.11 or newer, and there is no $(PYTHON) here. Install it first."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Deskbridge needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) -c 'import platform; print(platform.python_version())'`."; \
	  echo "Install a newer one, or name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks its venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv
