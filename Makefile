# What a developer does with this project; `make help` lists it. Written for GNU Make 3.81 and later.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# Where the example goes, and further options of `jupyter mlops demo`.
DEMO_DIR ?= mlops-demo
DEMO_ARGS ?=
# Further arguments of pytest and of the resolver, for example LOCK_ARGS=--upgrade.
PYTEST_ARGS ?=
LOCK_ARGS ?=
# How many processes test side by side: the Python package, and what uses more of the machine.
TEST_JOBS ?= 2
HEAVY_JOBS ?= 2
# How many processes `make chaos` kills, and the seed that chooses them; it is random if empty.
CHAOS_KILLS ?= 500
CHAOS_SEED ?=

VENV := .venv
BIN := $(abspath $(VENV)/bin)
PYTEST := $(BIN)/python -m pytest
# Each file's tests share what it sets up. The long files come first, so that all end together.
SPREAD := --dist loadfile --no-loadscope-reorder
JLPM := cd labextension && jlpm
UV_PIP := $(BIN)/uv pip install --quiet --python $(BIN)/python

# Compiled bytecode halves the start of everything; only our own environment may be imported.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PATH := $(BIN):$(PATH)
UV_HTTP_TIMEOUT ?= 300
export UV_HTTP_TIMEOUT

# -- set-up: each stamp lies in what it vouches for ------------------------------------------------

VENV_MADE := $(VENV)/.made
DEMO_ENV := $(VENV)/.demo-requirements
DEV_ENV := $(VENV)/.dev-requirements
PEERS := $(VENV)/peers/.made
FEAST := $(VENV)/feast/.made
PACKAGE := $(VENV)/.package
BROWSER := $(VENV)/.browser
NODE_MODULES := labextension/node_modules/.made
ASSETS := jupyter_mlops/labextension/package.json

TYPES := labextension/src/api/schema.ts

# Folders are listed too, so that a deleted file is noticed.
ASSET_SOURCES := $(shell find labextension/src labextension/style labextension/schema) \
	$(wildcard labextension/*.json)

$(VENV_MADE): scripts/create-venv.sh
	@scripts/create-venv.sh $(VENV)
	@touch $@

$(DEMO_ENV): requirements/demo.txt $(VENV_MADE)
	@echo "Installing what the product and its example need"
	@$(UV_PIP) --compile-bytecode --requirements requirements/demo.txt
	@touch $@

$(DEV_ENV): requirements/dev.txt $(VENV_MADE)
	@echo "Installing what the checks need"
	@$(UV_PIP) --compile-bytecode --requirements requirements/dev.txt
	@touch $@

# Others that we are compared with, or exchange with, each in an environment of its own.
$(PEERS) $(FEAST): $(VENV)/%/.made: requirements/%.txt $(DEV_ENV)
	@echo "Installing $*, apart"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --compile-bytecode --requirements $<
	@touch $@

$(NODE_MODULES): labextension/package.json labextension/yarn.lock $(DEMO_ENV)
	@echo "Installing what the lab extension needs"
	@$(JLPM) install --immutable
	@touch $@

$(ASSETS): $(ASSET_SOURCES) $(NODE_MODULES)
	@echo "Building the lab extension"
	@$(JLPM) build:prod
	@touch $@

# An editable install copies the assets and the server's configuration into the environment.
$(PACKAGE): pyproject.toml install.json jupyter-config/server-config/jupyter_mlops.json $(ASSETS)
	@echo "Installing the package"
	@SKIP_JUPYTER_BUILDER=1 $(UV_PIP) --no-deps --no-build-isolation \
		--reinstall-package jupyter-mlops --editable .
	@touch $@

$(BROWSER): scripts/ensure_browser.py $(DEV_ENV)
	@$(BIN)/python scripts/ensure_browser.py
	@touch $@

# -- use -------------------------------------------------------------------------------------------

.PHONY: help demo lab setup
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(PACKAGE) ## Set everything up and run the example in DEMO_DIR (mlops-demo)
	@$(BIN)/jupyter mlops demo "$(DEMO_DIR)" $(DEMO_ARGS)

lab: $(PACKAGE) ## Open JupyterLab in DEMO_DIR
	@test -d "$(DEMO_DIR)" || { echo "There is no $(DEMO_DIR) yet. Run: make demo" >&2; exit 1; }
	@cd "$(DEMO_DIR)" && exec $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

setup: $(DEV_ENV) $(PACKAGE) ## Install all that development needs

# -- checks ----------------------------------------------------------------------------------------

.PHONY: test lint lint-py lint-js test-js test-ui test-wheel test-py test-docs
.PHONY: test-slow test-slurm chaos bench
test: lint docs test-js test-ui test-wheel test-py test-docs ## Run every check but the slow ones

lint: lint-py lint-js check-types ## Run the linters and type checkers

lint-py: $(DEV_ENV)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lint-js: $(NODE_MODULES)
	@$(JLPM) lint:check

test-js: $(NODE_MODULES) ## Test the lab extension's modules
	@$(JLPM) test

test-ui: $(DEV_ENV) $(PACKAGE) $(BROWSER) ## Test the panel in a browser
	@$(PYTEST) tests/ui -m "not slow" $(SPREAD) --numprocesses $(HEAVY_JOBS) $(PYTEST_ARGS)

test-wheel: $(DEV_ENV) $(ASSETS) ## Test the wheel in fresh environments without Node
	@$(PYTEST) tests/contract -m wheel $(PYTEST_ARGS)

test-py: $(DEV_ENV) $(PACKAGE) $(FEAST) ## Test the Python package
	@$(PYTEST) tests/integration tests/server tests/contract tests/unit \
		-m "not slow and not wheel" $(SPREAD) --numprocesses $(TEST_JOBS) $(PYTEST_ARGS)

test-docs: $(DEV_ENV) $(PACKAGE) ## Run the code of the documentation
	@$(PYTEST) docs README.md $(SPREAD) --numprocesses $(HEAVY_JOBS) $(PYTEST_ARGS)

test-slow: $(DEV_ENV) $(PACKAGE) $(BROWSER) $(FEAST) ## Run the tests that take minutes
	@$(PYTEST) tests --ignore=tests/benchmarks -m slow $(SPREAD) --numprocesses $(HEAVY_JOBS) \
		$(PYTEST_ARGS)

test-slurm: $(DEV_ENV) $(PACKAGE) ## Test on a real Slurm, which root starts where it is installed
	@$(PYTEST) -m slurm tests/slurm -rs $(PYTEST_ARGS)

chaos: $(DEV_ENV) $(PACKAGE) ## Kill the engine's processes CHAOS_KILLS (500) times under sweeps
	@CHAOS_KILLS=$(CHAOS_KILLS) CHAOS_SEED=$(CHAOS_SEED) $(PYTEST) tests/chaos -m slow \
		--capture=no $(PYTEST_ARGS)

bench: $(DEV_ENV) $(PACKAGE) $(PEERS) $(FEAST) ## Run the benchmarks and print what they measure
	@$(PYTEST) tests/benchmarks --benchmark-enable --capture=no --timeout=0 $(PYTEST_ARGS)

# -- documentation --------------------------------------------------------------------------------

.PHONY: docs
docs: $(DEV_ENV) $(PACKAGE) ## Build the documentation into docs/_build/html
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --fresh-env \
		--builder html docs docs/_build/html

# -- what is generated -----------------------------------------------------------------------------

.PHONY: types check-types lock wheel clean
types: $(DEV_ENV) $(NODE_MODULES) ## Regenerate the OpenAPI file and the TypeScript types
	@$(BIN)/python -m jupyter_mlops.server.contract
	@$(JLPM) types

check-types: $(DEV_ENV) $(NODE_MODULES)
	@$(BIN)/python -m jupyter_mlops.server.contract --check
	@cp -p $(TYPES) $(VENV)/schema.ts
	@$(JLPM) types >/dev/null
	@cmp -s $(TYPES) $(VENV)/schema.ts || \
		{ echo "$(TYPES) was stale. Commit what make types wrote." >&2; exit 1; }
	@touch -r $(VENV)/schema.ts $(TYPES) # with its old time, so that nothing is built again

lock: $(DEV_ENV) ## Resolve the requirements again
	@scripts/lock.sh $(LOCK_ARGS)

wheel: $(DEV_ENV) $(ASSETS) ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove what was installed and built; DEMO_DIR stays
	@rm -rf $(VENV) dist docs/_build jupyter_mlops/labextension labextension/lib labextension/node_modules
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache labextension/*.tsbuildinfo
