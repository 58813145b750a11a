# Everything from a fresh checkout: `make search` finds a front on bundled data, `make test` proves the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt
INSTALLED := pyproject.toml constraints.txt

.PHONY: search test docs lint clean

search: $(VENV)/.installed compiler
	$(BIN)/dse search --space digits --trials 56 --workers 2 --refine 3

test: $(VENV)/.installed-test compiler chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# Builds without a network into build/docs; a warning is an error.
docs: $(VENV)/.installed-test
	$(BIN)/mkdocs build --strict

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
	$(BIN)/uv pip compile pyproject.toml --extra dashboard --extra dask --extra nir --extra test --extra lint --no-emit-package snn-dse -c constraints.txt --python-version 3.11.5 \
	  --generate-hashes --no-annotate --no-header -o requirements-hashes.txt

audit: $(VENV)/bin/python
	$(PIP) pip-audit
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements-hashes.txt

# Coverage-guided fuzzing of every parser; what was found lies in fuzz-findings/.
.PHONY: fuzz
RUNS ?= 1000000
fuzz: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/fuzz/fuzz.py --runs $(RUNS)

# The neuron kernel is compiled on first use; without a compiler a slower pure-torch path runs.
# The dashboard is tested in a headless Chromium; without one those tests are skipped and say so.
.PHONY: compiler chromium
compiler: PROGRAM = g++
compiler: LOSS = the fused kernel is off and training is slower
chromium: PROGRAM = chromium
chromium: LOSS = the dashboard is not tested in a browser
compiler chromium:
	@command -v $(PROGRAM) >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq $(PROGRAM); \
	  else echo "$(PROGRAM) not found: $(LOSS) (Debian: apt-get install $(PROGRAM))" >&2; fi; }

# Search efficiency, from the committed table of trained networks: minutes for fidelity, an hour or two of two cores for 20 seeds.
.PHONY: bench-search
bench-search: TABULAR = OMP_NUM_THREADS=1 $(BIN)/python benchmarks/tabular
bench-search: $(VENV)/.installed
	$(PIP) matplotlib
	mkdir -p build/search
	$(TABULAR)/fidelity.py --half holdout --plot build/search/fidelity.svg | tee build/search/fidelity.md
	$(TABULAR)/efficiency.py --half holdout --json build/search/curves.json --plot build/search/efficiency.svg | tee build/search/efficiency.md
	$(TABULAR)/fidelity.py --table benchmarks/tabular/mnist.jsonl.xz --half holdout | tee build/search/fidelity-mnist.md
	$(TABULAR)/efficiency.py --table benchmarks/tabular/mnist.jsonl.xz --half holdout --told 5k-e4 --seeds 10 | tee build/search/efficiency-mnist.md

clean:
	rm -rf $(VENV)
