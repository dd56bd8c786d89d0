# make demo: everything from nothing, to a report.  make test: everything from nothing, to tested code.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# OpenCV's wheels lean on two libraries of the system, which a server may lack.
SYSTEM := libgl1 libglib2.0-0

.PHONY: demo test bench fuzz lint format wheel clean

demo: $(VENV)/.installed
	$(BIN)/fer-batch demo demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --cov=fer_batch --cov-report=term-missing:skip-covered

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks --json benchmark.json

# Damaged media through the whole reader, for so many seconds; what must not happen is kept in fuzz/.
SECONDS ?= 1200
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzzing --seconds $(SECONDS) --out fuzz

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.installed-dev
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) dist demo .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "fer-batch needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || $(MAKE) --no-print-directory system
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@$(BIN)/python -c 'import cv2' 2>/dev/null || $(MAKE) --no-print-directory system
	@touch $@

.PHONY: system
system:
	@command -v apt-get >/dev/null || { echo "OpenCV needs $(SYSTEM), or what your system calls them." >&2; exit 2; }
	$$(test $$(id -u) = 0 || echo sudo) apt-get update -qq
	$$(test $$(id -u) = 0 || echo sudo) apt-get install -y -qq $(SYSTEM)
