# `make` alone lists the targets.

PYTHON ?= $(firstword $(shell command -v python3.11) $(shell command -v python3))
WORKERS ?= 3
BIN := .venv/bin
CHECKED := analyzers benchmarks service tests tools

# Hundreds of tests start a process of their own, and each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: runtime
runtime:
	@$(if $(PYTHON),,$(error Python 3.11 was not found; install python3.11 or say make PYTHON=/path/to/python3.11))
	@$(PYTHON) tools/bootstrap.py requirements.txt

.PHONY: setup
setup: ## create .venv with everything that is pinned for running and testing
	@$(if $(PYTHON),,$(error Python 3.11 was not found; install python3.11 or say make PYTHON=/path/to/python3.11))
	@$(PYTHON) tools/bootstrap.py requirements.txt requirements-test.txt

.PHONY: demo
demo: runtime ## play a signed pull-request webhook against a sample repository and show the comment
	@$(BIN)/python -m service demo

.PHONY: test
test: lint types contracts ## run every check: lint, types, import contracts, all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -rs

.PHONY: test-quick
test-quick: setup ## run the tests that take seconds
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

.PHONY: lint
lint: setup ## check style with ruff
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)

.PHONY: format
format: setup ## rewrite the code as `make lint` wants it
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

.PHONY: types
types: setup ## check types with mypy --strict
	$(BIN)/mypy

.PHONY: contracts
contracts: setup ## check who may import whom
	$(BIN)/lint-imports

.PHONY: bench
bench: setup ## measure CPU time and memory on generated repositories and write BENCHMARKS.md (some ten minutes)
	$(BIN)/python -m benchmarks

.PHONY: serve
serve: runtime ## run the web service; `.venv/bin/flowdelta serve --help` lists its settings
	$(BIN)/python -m service serve

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: lock
lock: setup ## recompile requirements*.txt from requirements*.in (UPGRADE=--upgrade takes newer versions)
	$(LOCK) $(UPGRADE) requirements.in --output-file requirements.txt
	$(LOCK) $(UPGRADE) requirements-test.in --output-file requirements-test.txt
	$(LOCK) $(UPGRADE) requirements-build.in --output-file requirements-build.txt

.PHONY: clean
clean: ## remove .venv and everything else that was generated
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
	find $(CHECKED) -type d -name __pycache__ -prune -exec rm -rf {} +
