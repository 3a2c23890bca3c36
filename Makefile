# Two commands: `make run` shows a job being done by real agents, `make test` runs the tests. Both make their own environment.

PYTHON ?= python3
VENV := .venv
RUN_STAMP := $(VENV)/.run-stamp
TEST_STAMP := $(VENV)/.test-stamp
PACKAGES := actors web supervision wire link sidecar agentcom

.PHONY: run test lint types chromium clean

run: $(RUN_STAMP)
	$(VENV)/bin/agentcom run examples/first-job.toml

test: $(TEST_STAMP) chromium
	$(VENV)/bin/pytest -q

lint: $(TEST_STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(TEST_STAMP)
	$(VENV)/bin/mypy

chromium: $(TEST_STAMP)
	tools/ensure-chromium.sh

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "AgentCom needs Python 3.11 or newer; say which:  make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): setup.cfg pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e .
	touch $@

$(TEST_STAMP): setup.cfg pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e '.[test]'
	touch $@ $(RUN_STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* first-job-report.md
	find $(PACKAGES) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
