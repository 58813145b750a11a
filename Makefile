# Everything from a fresh checkout: `make search` finds a front on bundled data, `make test` proves the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt
INSTALLED := pyproject.toml constraints.txt

.PHONY: search test test-browser lint clean

search: $(VENV)/.installed compiler
	$(BIN)/dse search --space digits --trials 56 --workers 2 --refine 3

test: $(VENV)/.installed-test compiler
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --ignore tests/browser

# The dashboard in a headless Chromium; skipped with a message where there is none.
test-browser: $(VENV)/.installed-test
	$(BIN)/python -m pytest tests/browser

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python $(INSTALLED)
	$(PIP) -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed $(INSTALLED)
	$(PIP) -e '.[test,lint]'
	touch $@

# Every dependency, indirect ones too, with the hashes of its files; and the published advisories against them.
.PHONY: hashes audit
hashes: $(VENV)/bin/python
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --extra dashboard --extra dask --extra nir --extra test --extra lint --no-emit-package snn-dse -c constraints.txt --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header -o requirements-hashes.txt

audit: $(VENV)/bin/python
	$(PIP) pip-audit
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements-hashes.txt

# The neuron kernel is compiled on first use; without a compiler a slower pure-torch path runs.
.PHONY: compiler
compiler:
	@command -v g++ >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq g++; \
	  else echo "g++ not found: the fused kernel is off and training is slower (Debian: apt-get install g++)" >&2; fi; }

clean:
	rm -rf $(VENV)
