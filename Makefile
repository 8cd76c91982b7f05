# make serve   install what is needed and run the server on its built-in configuration
# make test    install what is needed and run the whole suite
# make check   what CI runs: linters, types, rules of import, docstrings, the whole suite
# make bench   measure what takes time, as ratios in one run
# make soak    what takes minutes: many more hostile requests than the suite sends
# make lint    the same without the suite
# make lock    pin the newest versions that pyproject.toml allows

SHELL := /bin/sh
# Each process the suite starts would else compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# The first interpreter that is new enough; PYTHON=... names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PYTEST_ARGS ?= -n logical --maxprocesses 4 --dist loadscope

.PHONY: serve test check bench soak lint lock
.DELETE_ON_ERROR:

serve: $(VENV)/serve.stamp
	@exec $(BIN)/provisioning serve

test: $(VENV)/test.stamp
	@$(BIN)/pytest $(PYTEST_ARGS)

check: lint test

bench: $(VENV)/test.stamp
	@$(BIN)/pytest -m bench tests/bench

soak: $(VENV)/test.stamp
	@$(BIN)/pytest $(PYTEST_ARGS) -m soak tests

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate provisioning

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer, or name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Install Python's venv module (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/test.stamp: requirements-dev.lock $(VENV)/serve.stamp
	@command -v git >/dev/null || { echo "Install git: the suite looks at the files it tracks." >&2; exit 1; }
	@$(PIP) install -r requirements-dev.lock
	@touch $@

# A venv of its own, so that nothing else installed here gets into the lock.
lock: LOCK := $(VENV)-lock
lock: PIP := $(LOCK)/bin/python -m pip --disable-pip-version-check -qq
lock:
	@rm -rf $(LOCK)
	@$(PYTHON) -m venv $(LOCK)
	@$(PIP) install .
	@$(PIP) freeze --exclude roost-provisioning > requirements.lock
	@$(PIP) install '.[dev]'
	@$(PIP) freeze --exclude roost-provisioning > requirements-dev.lock
	@rm -rf $(LOCK)
