# Crossdock. `make help` lists the verbs. Needs only make and Python 3.11 or newer.

PORT     ?= 8000
DATA_DIR ?= $(or $(CROSSDOCK_DATA_DIR),data)
WORKERS  ?= 2

VENV := .venv
BIN  := $(VENV)/bin
PY   := $(BIN)/python

# An installation is right for one lock file, one pyproject.toml and one folder: its stamp is named
# after all three, so a second run asks nobody and starts at once.
runtime_sum := $(shell { cat requirements.lock pyproject.toml; pwd; } | cksum | tr ' ' '-')
dev_sum     := $(shell { cat requirements-dev.lock requirements-moto.lock pyproject.toml; pwd; } | cksum | tr ' ' '-')
RUNTIME_STAMP := $(VENV)/installed-runtime-$(runtime_sum)
DEV_STAMP     := $(VENV)/installed-dev-$(dev_sum)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install install-dev test check format proof bench mutants docs lock audit clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=9000 make run       another port          DATA_DIR=... make run    another data folder"
	@echo "  make test ARGS='-k x'    arguments for pytest   make proof QUICK=1       the CI-sized proof"

run: install ## Install, start the database, load the demo shop, serve on http://127.0.0.1:8000
	@CROSSDOCK_DATA_DIR='$(DATA_DIR)' exec $(BIN)/crossdock run --port $(PORT)

install: $(RUNTIME_STAMP) ## Make .venv with what the server needs
	@:

install-dev: $(DEV_STAMP) ## Make .venv with the tools for tests and checks as well
	@:

test: install-dev ## Run the whole test suite (ARGS='...' is handed to pytest)
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: install-dev ## Format, lint, types, arrows, tidy, links, API snapshots
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) -m tools.tidy
	$(PY) -m tools.snapshots --check
	$(PY) -m tools.reference --check
	$(PY) -m bandit -q -c pyproject.toml --severity-level medium -r src

format: install-dev ## Rewrite the code in the house's format and fix what lint can fix
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

proof: install-dev ## Run the proof claims; report in build/proof.md (QUICK=1: the CI size)
	$(PY) -m proof $(if $(QUICK),--quick) $(ARGS)

bench: install-dev ## Run the benchmarks against their floors; report in build/bench.md
	$(PY) -m bench $(if $(QUICK),--quick) $(ARGS)

mutants: install-dev ## Break the core on purpose and see whether tests notice (ARGS='--only shop/stock --sample 20')
	$(PY) -m tools.mutants $(ARGS)

RESOLVE = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11
COMPILE = $(RESOLVE) pyproject.toml

docs: install-dev ## Write the generated pages of docs/reference
	$(PY) -m tools.snapshots --write
	$(PY) -m tools.reference --write

lock: install-dev ## Pin the newest allowed versions of all dependencies, with hashes
	$(COMPILE) --extra build --output-file requirements.lock
	$(COMPILE) --extra build --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --extra rerank --constraints requirements.lock --output-file requirements-rerank.lock
	$(RESOLVE) --group moto --only-binary :all: --output-file requirements-moto.lock

audit: install-dev ## Ask the vulnerability databases about the pinned versions (needs a network)
	$(PY) -m pip_audit --require-hashes --disable-pip -r requirements.lock

clean: ## Remove .venv, caches and build/; the data folder stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools bench proof -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(RUNTIME_STAMP):
	@sh tools/install.sh requirements.lock $@

$(DEV_STAMP):
	@sh tools/install.sh requirements-dev.lock $@ requirements-moto.lock $(VENV)/moto
	@touch $(RUNTIME_STAMP)
