# `make demo` and `make test` work as the first command in a fresh clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# The extras of the image, as the Dockerfile has them.
EXTRAS ?= server,docker

.DEFAULT_GOAL := help
.PHONY: help install demo test examples check versions chaos containers bench conformance pictures screenshots sbom lock clean

help:            ## list the commands
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

install: $(READY) ## set up .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "globe-sms needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV) from requirements.lock (once, about 1 to 2 minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-warn-script-location --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)   ## send a campaign on this machine, to a simulated gateway
	@$(BIN)/globe-sms demo

# Four processes, since half of the time is waiting; the slowest files come first. Plain `pytest` uses one.
test: $(READY)   ## run the whole test suite
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

examples: $(READY) ## look for examples that break a promise: other ones each time
	$(BIN)/python -m pytest tests/unit --hypothesis-profile new-examples -n 2 --dist loadfile

check: $(READY)  ## lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# Each interpreter gets a .venv of its own from requirements.lock.
PYTHONS ?= python3.12 python3.13
versions:        ## run the unit tests on other interpreters: make versions PYTHONS="python3.12 python3.13"
	@for python in $(PYTHONS); do \
		echo "== $$python"; \
		$(MAKE) --no-print-directory PYTHON=$$python VENV=.venv-$$(basename $$python) install && \
		.venv-$$(basename $$python)/bin/python -m pytest tests/unit -n 2 --dist loadfile || exit 1; \
	done

chaos: $(READY)  ## test kills, faults and outages, and both of Prefect's UIs, in the long form
	GLOBE_SMS_CHAOS=long $(BIN)/python -m pytest tests/chaos tests/browser tests/integration -s

containers: $(READY) ## build the image and run a team's site in containers; needs Podman
	GLOBE_SMS_CONTAINERS=yes $(BIN)/python -m pytest tests/containers -s

bench: $(READY)  ## repeat every measurement in tests/benchmarks/README.md
	@for script in $(basename $(notdir $(wildcard tests/benchmarks/bench_*.py))); do \
		echo "== $$script"; $(BIN)/python -m tests.benchmarks.$$script || exit 1; \
	done

conformance: $(READY) ## compare ten million generated numbers with phonenumbers
	GLOBE_SMS_CONFORMANCE=long $(BIN)/python -m pytest tests/unit/numbers -s

pictures: $(READY) ## redraw tasks/house.svg and deployments/sandbox/demo.svg, run flows/campaign.ipynb
	$(BIN)/python -m tests.pictures.house
	$(BIN)/python -m tests.pictures.demo
	$(BIN)/python -m tests.pictures.notebook

screenshots: $(READY) ## retake deployments/pictures/*.png in a real browser
	GLOBE_SMS_PICTURES=deployments/pictures $(BIN)/python -m pytest tests/browser -q

# What the image has, with licences: the same packages in a folder of their own, read by CycloneDX's own program.
sbom: $(READY)   ## list the image's Python packages and their licences in dist/, as CycloneDX
	rm -rf build/sbom && mkdir -p dist
	$(BIN)/python deployments/image/install_locked.py --extras $(EXTRAS) --into build/sbom
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/globe-sms.cdx.json build/sbom/bin/python

lock:            ## update requirements.lock
	uv pip compile pyproject.toml --all-extras --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --output-file requirements.lock

clean:           ## remove .venv, caches and builds
	rm -rf $(VENV) .venv-* .pytest_cache .ruff_cache .hypothesis build dist
