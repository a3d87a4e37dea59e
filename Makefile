# Three commands from a fresh clone: `make run`, `make test` and `make wheel`. All do their own set-up.
# PYTHON=python3.12 chooses the interpreter, TESTS="tests/unit -x" what pytest is given.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help run test quick check servers wheel clean

export PIP_DISABLE_PIP_VERSION_CHECK := 1
python := .venv/bin/python
# Tests that must not run side by side are in one group of xdist's.
pytest := $(python) -m pytest --numprocesses 2 --dist loadgroup
install := $(python) -m pip install --constraint constraints.txt --editable

help:
	@echo "make run    set up, then run experiments/quickstart.yaml on the embedded server"
	@echo "make test   set up, then check and test everything"
	@echo "make quick  the unit tests without the slow ones: under a minute once kernels are compiled"
	@echo "make wheel  build dist/pyheta-*.whl, to be installed where there is no clone"
	@echo "make clean  remove the virtual environment and all caches"

run: .venv/run.stamp
	.venv/bin/pyheta run experiments/quickstart.yaml

test: check servers
	$(pytest) $(TESTS)

quick: .venv/test.stamp
	$(pytest) -m "not slow" $(or $(TESTS),tests/unit)

check: .venv/test.stamp
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	.venv/bin/lint-imports

servers: .venv/test.stamp
	.ci/install-packages $$($(python) tests/servers.py) \
		|| echo "tests that need a server are skipped; with CI=true they fail"

wheel: .venv/python.stamp
	rm -f dist/pyheta-*.whl
	$(python) -m pip wheel --no-deps --wheel-dir dist .

.venv/python.stamp: .ci/make-venv
	.ci/make-venv
	touch $@

.venv/run.stamp: .venv/python.stamp pyproject.toml constraints.txt
	$(install) .
	touch $@

.venv/test.stamp: .venv/python.stamp pyproject.toml constraints.txt
	$(install) ".[dev]"
	touch $@ .venv/run.stamp

clean:
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
