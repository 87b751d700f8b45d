# make setup | test | test-long | test-lowest | test-container | oracle | torture | demo | lint | format | dist | docs | bench | constraints | clean
# Needs Python 3.11 or newer and nothing else; uv is used where it is there. Choose with: make PYTHON=python3.13 ...

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
SITE_STAMP := $(VENV)/.installed-site
BENCH_REQUIREMENTS := $(wildcard benchmarks/requirements.txt)
BENCH_INSTALL := $(wildcard benchmarks/install.sh)
# One process a core, each with a PostgreSQL of its own.
PYTEST_ARGS ?= -n auto --maxprocesses 4 -m 'not long'
BENCH_ARGS ?=
# Lists that make oracle tries, from which seed on, and what else python -m tests.oracle takes.
ROUNDS ?= 100
SEED ?= 1
ORACLE_ARGS ?=

.PHONY: help setup test test-long test-lowest test-container oracle torture demo lint format dist docs bench constraints clean

help:
	@sed -n '1,2s/^# //p' $(MAKEFILE_LIST)

setup: $(STAMP)
	@:

$(STAMP): pyproject.toml constraints.txt
	@python=; \
	for candidate in $(or $(PYTHON),$(CANDIDATES)); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "omega-bridge needs Python 3.11 or newer; none among: $(or $(PYTHON),$(CANDIDATES)). Name one: make PYTHON=/path/to/python3 setup" >&2; \
	  exit 1; \
	fi; \
	echo "setting up $(VENV) with $$($$python --version)"; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
	  rm -rf $(VENV); \
	  $$python -m venv $(VENV) 2>$(VENV).log || uv venv -q -p $$python $(VENV) 2>>$(VENV).log || { \
	    cat $(VENV).log >&2; rm -f $(VENV).log; \
	    echo "no virtual environment could be made: install the system's python3-venv, or uv" >&2; exit 1; }; \
	  rm -f $(VENV).log; \
	fi; \
	if command -v uv >/dev/null 2>&1 && uv pip install -q -p $(BIN)/python -c constraints.txt -e '.[dev]' 2>/dev/null; then :; \
	else $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'; fi
	@touch $@

# Every gate runs, pytest last, so that its closing line is the last to be seen; the first failure is the exit code.
test: setup
	@first=0; \
	gate() { echo "== $$*"; "$$@" || { code=$$?; echo "== failed: $$1 $$2"; [ $$first -ne 0 ] || first=$$code; }; }; \
	PATH="$(CURDIR)/$(BIN):$$PATH"; export PATH; \
	gate ruff check .; \
	gate ruff format --check .; \
	gate mypy; \
	$(if $(wildcard tests/typing/*.py),gate mypy --strict tests/typing;) \
	gate omega-bridge check; \
	gate python -m pytest $(PYTEST_ARGS); \
	exit $$first

# What make test leaves out.
test-long: setup
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 -m long

# The database's tests on a server in a container: Docker answers, and the image is there or can be had.
test-container: setup
	@$(BIN)/python -m pytest $(PYTEST_ARGS) --postgres=container -m 'not slow' tests/integration tests/acceptance

oracle: setup
	@$(BIN)/python -m tests.oracle --rounds $(ROUNDS) --seed $(SEED) $(ORACLE_ARGS)

# Starts that are killed, and servers that crash: a minute of it, or what TORTURE_ARGS says.
torture: setup
	@$(BIN)/python -m tests.torture $(TORTURE_ARGS)

# The floors of pyproject.toml's ranges for this Python, in a venv of their own: what is the same whatever is installed.
LOWEST := $(VENV)-lowest
LOWEST_TESTS ?= $(addprefix tests/unit/test_,background.py catalog.py command_line.py explain.py foundation.py gaps.py import_direction.py \
  lifting.py model_files.py needs.py rooms.py sources.py) $(addprefix tests/integration/test_,export.py models_held.py nexus_list.py again.py past.py report.py) \
  tests/acceptance/test_history.py

$(LOWEST)/.installed: pyproject.toml constraints.txt .ci/lowest.py
	@rm -rf $(LOWEST) && $(or $(PYTHON),$(BIN)/python) -m venv $(LOWEST)
	@$(LOWEST)/bin/python -m pip install -qq --disable-pip-version-check packaging
	@$(LOWEST)/bin/python .ci/lowest.py > $(LOWEST)/constraints.txt
	@$(LOWEST)/bin/python -m pip install -qq --disable-pip-version-check -c $(LOWEST)/constraints.txt -e '.[dev]'
	@touch $@

test-lowest: setup $(LOWEST)/.installed
	@$(LOWEST)/bin/python .ci/lowest.py --told
	@PATH="$(abspath $(LOWEST))/bin:$$PATH"; export PATH; \
	omega-bridge check && python -m pytest $(PYTEST_ARGS) $(LOWEST_TESTS)

demo: setup
	@$(BIN)/omega-bridge demo

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Wheel and sdist in dist/, the wheel built from the sdist, checked. What builds them is a development dependency: no index is asked.
dist: setup
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --quiet
	@$(BIN)/twine check --strict dist/*

# The pages of docs/ as a site in build/site; a link or an anchor that leads nowhere is an error.
docs: $(SITE_STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/site/index.html"

$(SITE_STAMP): $(STAMP)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[site]'
	@touch $@

$(BENCH_STAMP): $(STAMP) $(BENCH_REQUIREMENTS) $(BENCH_INSTALL)
	@$(if $(BENCH_REQUIREMENTS),$(BIN)/python -m pip install -qq --disable-pip-version-check -r $(BENCH_REQUIREMENTS))
	@$(if $(BENCH_INSTALL),./$(BENCH_INSTALL))
	@touch $@

bench: $(BENCH_STAMP)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Newest versions within pyproject.toml's ranges, written down exactly.
constraints:
	@rm -rf $(VENV)-constraints && $(or $(PYTHON),python3) -m venv $(VENV)-constraints
	@$(VENV)-constraints/bin/python -m pip install -qq --disable-pip-version-check --upgrade -e '.[dev,site]'
	@{ echo "# Exact versions for development, from pyproject.toml's ranges. Refresh with: make constraints"; \
	  $(VENV)-constraints/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	@rm -rf $(VENV)-constraints

clean:
	@rm -rf $(VENV) $(LOWEST) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
