# Entry points for people and CI: `make` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-ready
DEV := $(VENV)/.dev-ready
MANAGE := $(BIN)/python manage.py
PYTHON ?= $(shell deploy/find-python)

.PHONY: help setup run test fuzz-api bench chaos demo-ops evidence lint hooks format types contracts migrations-check schema check messages python-api train mlflow flower shell up down

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(RUN): requirements.txt requirements-web.txt
	@deploy/setup "$(PYTHON)" $(VENV) requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements-dvc.txt $(RUN)
	@deploy/setup "$(PYTHON)" $(VENV) requirements-dev.txt
	@touch $@

setup: $(DEV) ## Create .venv with everything for development

run: $(RUN) ## Prepare and serve the site on http://127.0.0.1:8000 (PORT=8001 make run: another port)
	@exec $(MANAGE) bootstrap --serve

test: $(DEV) ## Run all tests, embedded and then on Postgres and Redis if available
	@deploy/test

fuzz-api: $(RUN) ## Check the API against its OpenAPI document, on a separate site (ARGS=options of Schemathesis)
	@deploy/fuzz-api $(ARGS)

bench: $(DEV) ## Print tables of quality and speed, takes about an hour: make bench DATA=path/to/data
	@test -n "$(DATA)" || { echo "Name the folder that holds the data sets: make bench DATA=path/to/data" >&2; exit 2; }
	@$(BIN)/python -m benchmarks --data "$(DATA)"

chaos: $(DEV) ## Inject faults into a test site and check that it recovers (ARGS=--help)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

demo-ops: $(DEV) ## Run a model's lifecycle on a test site; writes screenshots to var/demo-ops
	@$(BIN)/python -m benchmarks.chaos.demo --screenshots var/demo-ops $(ARGS)

evidence: $(RUN) ## Record evidence from CI's last successful run of main, for the ML Test Score (needs gh, signed in)
	@deploy/evidence

lint: $(DEV) ## Check style, spelling and plain words
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/typos
	@$(BIN)/python deploy/prose.py

hooks: $(DEV) ## Make git run the quick checks before each commit
	@$(BIN)/pre-commit install

format: $(DEV) ## Fix style and format the code
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

types: $(DEV) ## Check types
	@$(BIN)/mypy .

contracts: $(DEV) ## Check that imports point one way
	@$(BIN)/lint-imports --no-cache

migrations-check: $(DEV) ## Check that no migration is missing
	@$(MANAGE) makemigrations --check --dry-run

schema: $(DEV) ## Check the OpenAPI document and the deployment files
	@$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --schemafile deploy/schemas/render.json render.yaml deploy/render-free.yaml
	@$(BIN)/check-jsonschema --schemafile deploy/schemas/railway.json deploy/railway/*.json
	@if command -v actionlint >/dev/null; then actionlint; else echo "actionlint is not installed: CI runs it"; fi

check: lint types contracts migrations-check schema ## Run all checks except the tests

messages: $(RUN) ## Update the translations from the code (needs gettext)
	@deploy/messages

python-api: $(DEV) ## Write docs/python-api.md from the docstrings
	@$(BIN)/python deploy/python_api.py

train: $(RUN) ## Train a model now; the gate decides whether it is promoted
	@$(MANAGE) train_model

mlflow: $(RUN) ## Show the experiments on http://127.0.0.1:5000
	@exec $(MANAGE) mlflow_ui

flower: $(RUN) ## Monitor Celery on http://127.0.0.1:5555 (if REDIS_URL is set)
	@exec $(MANAGE) flower

shell: $(RUN) ## Open a Python shell with the models imported
	@$(MANAGE) shell

up: ## Start everything in containers
	@CODE_REVISION="$$(git rev-parse HEAD 2>/dev/null)" docker compose up --build --detach --wait
	@docker compose exec -T web python manage.py setup_link --if-open

down: ## Stop the containers; their data is kept
	docker compose down
