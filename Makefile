# One command each. `make demo` and `make test` work as the first command in a fresh clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install demo test check chaos bench conformance lock clean

help:            ## what can be run
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

install: $(READY) ## set up .venv from the lock file

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "globe-sms needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV) from requirements.lock (once, some 1 to 2 minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-warn-script-location --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)   ## the whole job, locally, on the sandbox
	@$(BIN)/globe-sms demo

# Two processes, because half of the time is waiting; the heaviest files go first. `pytest` alone runs in one.
test: $(READY)   ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY)  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

chaos: $(READY)  ## kills, stops, faults and outages, the long form
	GLOBE_SMS_CHAOS=long $(BIN)/python -m pytest tests/chaos -s

bench: $(READY)  ## every measurement the README cites
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

conformance: $(READY) ## ten million generated numbers against phonenumbers
	GLOBE_SMS_CONFORMANCE=long $(BIN)/python -m pytest tests/unit/numbers -s

lock:            ## write requirements.lock again
	uv pip compile pyproject.toml --all-extras --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --output-file requirements.lock

clean:           ## remove what was set up
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist
