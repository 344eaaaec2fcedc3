# The only entry points a newcomer needs. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test test-duckdb test-all test-stand-in test-compose test-kubernetes test-operations coverage ui bench bench-scale bench-databricks bench-exchange bench-at-rest bench-faults dbt-docs warehouse conformance kill-everywhere docs check format clean

# `make PYTHON=...` names the Python to use. Else python3 decides the version, and the system's build of it is preferred:
# distributors build with profile-guided optimisation; pyenv does not by default, and takes half as long again.
PYTHON ?= python3
SAME_VERSION := import sys, ctypes, lzma, sqlite3, ssl; sys.exit(sys.argv[1] != "%d.%d" % sys.version_info[:2])
OUR_PYTHON = $(if $(filter file,$(origin PYTHON)),$(shell \
	/usr/bin/python3 -c '$(SAME_VERSION)' "$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" 2>/dev/null \
	&& echo /usr/bin/python3 || echo $(PYTHON)),$(PYTHON))
BIN := .venv/bin
DAGSTER_YAML := src/lending_club_pipeline/defs/dagster.yaml
PACKAGES := $(wildcard packages/*/pyproject.toml)
UV := $(or $(shell command -v uv),.tools/bin/uv)
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# Without compiled bytecode every start takes twice as long, also for those who keep Python from writing it.
unexport PYTHONDONTWRITEBYTECODE
COMPILE_OURS := $(BIN)/python -m compileall -q src

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.base  ## Set up and process the sample delivery in data/inputs
	@$(BIN)/lending-club run

test: lint  ## Lint, format, types, SQL lint, dbt unit tests and the test suite, on both engines
	@$(IN_PARALLEL) types sql-lint definitions site workflows stand-in tests $(OR_SAY_SO)

test-duckdb: lint  ## The same on DuckDB alone: without the tests that start a SQL warehouse
	@$(IN_PARALLEL) types sql-lint definitions site workflows tests TESTS=--ignore=tests/databricks $(OR_SAY_SO)

test-all: lint  ## The same, and the exhaustive tests (takes hours on two cores)
	@$(IN_PARALLEL) types sql-lint definitions site workflows stand-in tests TESTS=--exhaustive STAND_IN=--always $(OR_SAY_SO)

test-stand-in: .venv/.dev  ## Test the SQL warehouse stand-in itself, and note what passed
	@$(BIN)/python -m tests.stand_in_tests --always

test-operations: .venv/.dev  ## Alerts, metrics, roles, audit, object stores with real servers (.ci/run names their packages)
	@$(PYTEST) -n 2 --operations tests/operating tests/objects tests/deployment/test_connections.py

coverage: .venv/.dev  ## Run all tests and list the lines and branches that none reaches
	@$(PYTEST) --exhaustive --cov --cov-report=term:skip-covered

test-compose: .venv/.dev  ## Build the image and run the services and profiles on a Docker engine (takes half an hour)
	@$(BIN)/python -m pytest --docker tests/deployment

test-kubernetes: .venv/.dev  ## Render Dagster's Helm chart with our values, and check what comes out
	@$(BIN)/python -m pytest --kubernetes tests/deployment

check: lint  ## Lint, format, types, SQL lint and definitions, without the tests
	@$(IN_PARALLEL) types sql-lint definitions site workflows

# The parts of `test` and `check`. None needs both cores all the time, so that they share them.
.PHONY: lint types sql-lint definitions site workflows stand-in tests
IN_PARALLEL := $(MAKE) --no-print-directory --keep-going --jobs
OR_SAY_SO := || { echo "== failed: the part that did is named above, after '***'"; exit 1; }
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/.dev
	@echo "== format and lint"
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .

types:
	@echo "== types"
	@$(BIN)/mypy

sql-lint:
	@echo "== SQL lint"
	@$(BIN)/python -m tests.lint_sql

definitions:
	@echo "== Dagster definitions"
	@mkdir -p -m 700 .dagster && cp $(DAGSTER_YAML) .dagster/
	@DAGSTER_HOME=$(CURDIR)/.dagster VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/dg check defs

site:
	@echo "== documentation site"
	@$(BIN)/python deploy/site/stage.py .tmp/docs
	@$(UV) run --quiet --no-project --with-requirements deploy/site/requirements.txt \
		zensical build --strict --clean > .tmp/site.log 2>&1 || { cat .tmp/site.log; exit 1; }

workflows:
	@echo "== workflows"
	@$(BIN)/zizmor --quiet --offline --no-progress --config .github/zizmor.yml .github/workflows

stand-in:
	@echo "== SQL warehouse stand-in, if it changed"
	@$(BIN)/python -m tests.stand_in_tests $(STAND_IN)

tests:
	@echo "== tests"
	@$(PYTEST) $(TESTS)

format: .venv/.dev  ## Format the Python code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

ui: .venv/.base  ## Open Dagster on http://localhost:3000, with the runs of `make run`
	@$(BIN)/lending-club ui

bench: .venv/.dev  ## Measure speed and memory against the bare engine
	@$(BIN)/python -m bench

bench-scale: .venv/.dev  ## Measure how cost grows with accounts and days, to 100M accounts (takes an hour)
	@$(BIN)/python -m bench.scale

bench-databricks: .venv/.dev  ## Measure the pipeline on the SQL warehouse stand-in against Spark alone
	@$(BIN)/python -m bench.databricks

bench-exchange: .venv/.dev  ## Measure how far apart the outputs of a publication are exchanged
	@$(BIN)/python -m bench.exchange

bench-at-rest: .venv/.dev  ## Measure what the services cost while nothing is to do
	@$(BIN)/python -m bench.at_rest

bench-faults: .venv/.dev  ## Kill runs at fifty random moments, and more of the random histories
	@$(BIN)/python -m bench.faults

docs: .venv/.dev site  ## Build the documentation site: .tmp/site/index.html

dbt-docs: .venv/.base  ## Build dbt's documentation site, one page that a browser opens
	@$(BIN)/dbt docs generate --static --project-dir dbt --profiles-dir dbt
	@echo "dbt/target/static_index.html: open it in a browser"

warehouse: .venv/.dev  ## Start a local Databricks SQL warehouse stand-in; prints an .env file, then `ready`
	@$(BIN)/python -m databricks_stand_in --set DATABASE_TYPE=databricks --set DATABRICKS_SCHEMA=lending_club

conformance: .venv/.dev  ## Run the public suite of dbt's adapters against the stand-in (takes long)
	@$(UV) sync --quiet --frozen --all-extras --group conformance --compile-bytecode
	@$(BIN)/python -m databricks_stand_in.conformance --page docs/conformance.md

kill-everywhere: .venv/.dev  ## Kill a run at every statement that it sends to the stand-in (takes hours)
	@$(BIN)/python -m tests.databricks.kill_everywhere

clean:  ## Remove what runs made: database, landing, outputs, Dagster's history
	rm -rf data/outputs data/landing data/lending_club.duckdb* .dagster dbt/target

.venv/.base: uv.lock pyproject.toml $(PACKAGES) | $(UV)
	@echo "Setting up .venv from the lock file"
	@$(UV) sync --python $(OUR_PYTHON) --quiet --frozen --inexact --no-default-groups --compile-bytecode
	@$(COMPILE_OURS)
	@touch $@

.venv/.dev: uv.lock pyproject.toml $(PACKAGES) | $(UV)
	@echo "Setting up .venv from the lock file, with the tools of development"
	@$(UV) sync --python $(OUR_PYTHON) --quiet --frozen --all-extras --compile-bytecode
	@$(COMPILE_OURS)
	@touch $@ .venv/.base

.tools/bin/uv:
	@echo "Fetching uv into .tools"
	@$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv
