# `make demo` and `make test` need nothing but Python 3.10 or newer: each makes .venv when it is
# missing or older than pyproject.toml, and reuses it otherwise.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow lint format types docs clean

demo: .venv/installed
	$(BIN)/fer train experiment=demo

# One thread a worker: several on one core slow each other down tenfold. Bytecode is kept, whatever
# the environment says, since hundreds of tests start a process.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=8 --dist=loadfile

test: .venv/installed-dev
	$(PYTEST)

test-slow: .venv/installed-dev
	$(PYTEST) -m "slow or slurm" --durations=40

lint: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: .venv/installed-dev
	$(BIN)/mypy

docs: .venv/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "documentation: site/index.html"

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "fer_lightning needs Python 3.10 or newer; try make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --editable '.[dev]'
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv build dist site .mypy_cache .ruff_cache .pytest_cache
