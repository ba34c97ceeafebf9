# Mianyue. `make help` lists what there is; ARGS are handed on: make test ARGS="tests/config -k lock"

PYTHON ?= $(or $(shell command -v python3.11),python3)
PY := .venv/bin/python
MANAGE := MIANYUE_MODE=test $(PY) manage.py
# Throw-away PostgreSQL and Valkey, with their addresses in the environment of what follows.
BESIDE_SERVERS := $(PY) -m config.embedded exec
PRODUCTION := MIANYUE_MODE=production PUBLIC_URL=https://mianyue.example \
	SECRET_KEY=make-check-only-and-no-secret-at-all-0123456789-abcdefghij \
	NATIONAL_ID_KEYS=bWFrZS1jaGVjay1vbmx5LW5vdC1hLXJlYWwta2V5LTA= \
	NATIONAL_ID_HASH_KEY=make-check-only-and-no-secret-at-all \
	HOTLINE=400-000-0000 HELP_MAILBOX=interviews@mianyue.example

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run services test check lint lint-style lint-types lint-layers lint-templates \
	lint-django django-checks bench screenshots messages lock clean env-run env-dev browser translations

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

run: env-run translations ## the demo on http://127.0.0.1:$PORT/ (8000), its data in $MIANYUE_VAR (var/)
	@$(PY) -m config.run --with-parent

services: env-run ## only the demo's PostgreSQL and Valkey, for a developer's own runserver
	@$(PY) -m config.embedded serve

test: env-dev browser translations ## every test, beside servers of its own
	@$(BESIDE_SERVERS) -- $(PY) -m pytest -p tests.browser_tests -n 2 --dist worksteal $(ARGS)

check: lint test ## what CI runs: linters, types, layers, Django's checks, then every test

lint: lint-style lint-types lint-layers lint-templates lint-django

lint-style: env-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

lint-types: env-dev
	MIANYUE_MODE=test $(PY) -m mypy .

lint-layers: env-dev
	.venv/bin/lint-imports

lint-templates: env-dev
	$(PY) -m djlint --check --lint templates

lint-django: env-dev translations
	@$(BESIDE_SERVERS) -- $(MAKE) --no-print-directory django-checks

django-checks: # beside servers
	$(MANAGE) makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	$(MANAGE) messages --check
	$(MANAGE) state_diagrams --check
	$(MANAGE) spectacular --validate --fail-on-warn | diff docs/openapi.yaml -

bench: env-dev translations ## speed: pages beside a minimal view, messages, long work
	@$(BESIDE_SERVERS) --durable -- $(PY) -m benchmarks $(ARGS)

screenshots: env-dev browser translations ## pictures of every page, into screenshots/
	@$(BESIDE_SERVERS) --mode demo -- $(PY) -m tests.screenshots $(ARGS)

messages: env-dev ## collect the texts to translate into locale/ (needs gettext)
	$(MANAGE) messages

lock: env-dev ## requirements/*.txt anew from pyproject.toml; ARGS=--upgrade for newer versions
	@$(PY) config/provision.py lock $(ARGS)

clean: ## remove .venv, the demo's data and everything built
	@$(PYTHON) config/provision.py clean

env-run env-dev: env-%:
	@$(PYTHON) config/provision.py $*

browser:
	@$(PYTHON) config/provision.py browser

translations:
	@$(MANAGE) compile_translations
