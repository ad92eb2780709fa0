# `make up` and `make test` need Python 3.11 to 3.14, git, make and the package registries. They make
# .venv with uv if it is on PATH, otherwise with venv and pip. PYTHON=… names another interpreter.
DEMO ?= live
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
# A change to these files causes a new installation.
LOCAL := requirements/local.txt pyproject.toml
DEV := requirements/dev.txt pyproject.toml

# The stack and the tests start many Python processes. Without bytecode files, each compiles all that it
# imports (measured: 4.0 s for Dagster's definitions, 1.5 s with the files).
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help up down status test test-unit check hooks accept-secrets bench docs docs-generated lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: $(VENV)/.local ## start the local stack with DEMO=none|sample|live (default live)
	@$(BIN)/traffic up --detach --demo $(DEMO)

down: $(VENV)/.local ## stop the local stack
	@$(BIN)/traffic down

status: $(VENV)/.local ## show the state of the local stack
	@$(BIN)/traffic status

test: $(VENV)/.dev ## run every test against real PostgreSQL and Kafka
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-unit: $(VENV)/.dev ## run the tests that start no server and no process
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not servers" $(PYTEST_ARGS)

check: $(VENV)/.dev ## lint, format, types, language, secrets, known vulnerabilities, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/codespell
	$(BIN)/python checks/prose.py
	$(BIN)/python checks/no_secrets.py
	$(BIN)/python checks/dependencies.py
	@$(MAKE) --no-print-directory docs

hooks: $(VENV)/.dev ## install the checks that run before each commit
	$(BIN)/pre-commit install

accept-secrets: $(VENV)/.dev ## record that the values found by the check are not secrets
	$(BIN)/python checks/no_secrets.py --accept

docs-generated: $(VENV)/.dev ## write the pages of docs/ that are generated from the code
	$(BIN)/python checks/generate_docs.py

bench: $(VENV)/.dev ## measure speed, latency and memory; results in benchmarks/results
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: $(VENV)/.dev ## build the documentation's site in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

lock: $(VENV)/.dev ## lock the newest compatible versions (needs uv)
	@test -n "$(UV)" || { echo "make lock needs uv. Install it first." >&2; exit 1; }
	$(call compile,local.txt,--extra local)
	$(call compile,dev.txt,--extra local --extra dev)
	$(BIN)/python -m traffic_platform.stack.kafka_jars lock

clean: ## remove .venv; keep the local state in .traffic
	rm -rf $(VENV)

compile = uv pip compile --quiet --upgrade --universal --generate-hashes --no-header \
	--no-strip-extras --python-version 3.11 $(2) pyproject.toml requirements/build.in -o requirements/$(1)

# An installation with the development tools includes the smaller set.
$(VENV)/.local: $(LOCAL)
	@test $(VENV)/.dev -nt requirements/local.txt -a $(VENV)/.dev -nt pyproject.toml \
		|| $(MAKE) --no-print-directory install SET=local.txt
	@touch $@

$(VENV)/.dev: $(DEV)
	@$(MAKE) --no-print-directory install SET=dev.txt
	@touch $@

.PHONY: install
ifneq ($(UV),)
install: $(BIN)/python
	@echo "Installing requirements/$(SET) with uv"
	@uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$(SET)
	@uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
install: $(BIN)/python
	@echo "Installing requirements/$(SET) with pip (a minute or two)"
	@$(PIP) install --no-deps --no-compile --require-hashes -r requirements/$(SET)
	@$(PIP) install --no-deps --no-build-isolation -e .
endif

$(BIN)/python:
	@sh requirements/make-venv.sh $(VENV)
