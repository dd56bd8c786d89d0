# From nothing:
#   make demo      install, and analyse two sample files: ends with the path of a report
#   make test      install, and run the quick tests: about 6 minutes on two idle cores
#   make test-long the long tests alone (slow, training, fuzz);  make test-all: both, and the coverage of the quick ones
#   make lint      ruff, mypy and import-linter;  make format: mend what ruff can mend
#   make bench     measure the program's speed;   make fuzz: damaged media through the reader, for SECONDS
#   make wheel     build dist/*.whl;              make clean: remove all that these made
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# OpenCV's wheels lean on two libraries of the system, which a server may lack.
SYSTEM := libgl1 libglib2.0-0

.PHONY: demo test test-long test-all bench fuzz lint format wheel clean

demo: $(VENV)/.installed
	$(BIN)/fer-batch demo demo

# Each of so many processes takes one file of tests after another, in the order that tests/conftest.py gives them. pytest
# alone runs the same quick tests in one.
# Tests in the browser come by themselves: beside others, Chromium has been seen to hang.
TEST_PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest
PARALLEL := --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
BROWSER = $(shell grep -rl --include='test_*.py' mark.browser tests)
LONG := slow or training or fuzz

test: $(VENV)/.installed-dev
	$(PYTEST) $(PARALLEL) -m "not browser and not ($(LONG))"
	$(PYTEST) -m "browser and not ($(LONG))" $(BROWSER)

test-long: $(VENV)/.installed-dev
	$(PYTEST) $(PARALLEL) -m "not browser and ($(LONG))"
	$(PYTEST) -m "browser and ($(LONG))" $(BROWSER)

# Quick and long tests together, as they share what they make. tests/conftest.py leaves the long ones out of the coverage.
COVERAGE := --cov=fer_batch --cov-append --cov-report= --cov-fail-under=0
test-all: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(PYTEST) $(PARALLEL) -m "not browser" $(COVERAGE)
	$(PYTEST) -m browser $(BROWSER) $(COVERAGE)
	$(BIN)/coverage report

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks --json benchmark.json

# A file that was neither read nor reported as it should be is kept in fuzz/.
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
	rm -rf $(VENV) dist demo tests/actual .coverage .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

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
