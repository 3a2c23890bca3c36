# Two commands: `make run` shows a job being done by real agents, `make test` runs the tests. Both make their own environment.

PYTHON ?= python3
VENV := .venv
RUN_STAMP := $(VENV)/.run-stamp
TEST_STAMP := $(VENV)/.test-stamp
PACKAGES := actors web supervision wire link sidecar notifier agentcom

IN_TWO := $(VENV)/bin/pytest -q --numprocesses 2 --dist worksteal

.PHONY: run demo test lint types page-types chromium screenshots bench clean

run: $(RUN_STAMP)
	$(VENV)/bin/agentcom run examples/first-job.toml

demo: $(RUN_STAMP)
	$(VENV)/bin/agentcom demo

# First what compares rates, with the machine to itself; then, in two processes each, the fault runs, which have eight minutes, and
# everything else.
test: $(TEST_STAMP) chromium
	$(VENV)/bin/pytest -q tests/bench
	$(IN_TWO) tests/faults tests/simulation
	$(IN_TWO) $(addprefix --ignore=tests/,bench faults simulation) tests

lint: $(TEST_STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(TEST_STAMP)
	$(VENV)/bin/mypy

# What the comments of the page's modules say about types, by TypeScript; nothing of it is served.
page-types: tools/page-types/node_modules/.stamp
	tools/page-types/node_modules/.bin/tsc -p tools/page-types

tools/page-types/node_modules/.stamp: tools/page-types/package-lock.json
	tools/ensure-node.sh
	npm ci --prefix tools/page-types --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

chromium: $(TEST_STAMP)
	tools/ensure-chromium.sh

# The pictures of the documents, from a frozen demo: the same every time.
screenshots: $(TEST_STAMP) chromium
	$(VENV)/bin/pip install -q --disable-pip-version-check -e '.[test,screenshots]'
	$(VENV)/bin/python tools/take_screenshots.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "AgentCom needs Python 3.11 or newer; say which:  make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): setup.cfg pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e .
	touch $@

$(TEST_STAMP): setup.cfg pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e '.[test]'
	touch $@ $(RUN_STAMP)

# In an environment of its own, because the peers that it compares with are nobody's dependency.
bench: .bench-venv/.stamp
	.bench-venv/bin/python -m bench $(BENCH)

.bench-venv/.stamp: setup.cfg bench/requirements.txt
	$(PYTHON) -m venv .bench-venv
	.bench-venv/bin/pip install -q --disable-pip-version-check -e '.[test,bench]' -r bench/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .bench-venv tools/page-types/node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* first-job-report.md
	find $(PACKAGES) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
