# Every command sets up what it needs first; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PY := .venv/bin/python
CODE := libs services deploy tests

# Tests start hundreds of processes, each of which would else compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run stop test chaos check sbom audit fuzz bench snapshots messages gallery fmt clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:
	@deploy/setup.sh $(SETUP_FOR)

run: setup ## Start the whole platform here, play the sample vendor feed, say where to look
	@.venv/bin/certrail up

stop: ## Stop the platform; its data stay
	@if [ -x .venv/bin/certrail ]; then .venv/bin/certrail down; else echo "nothing is installed, so nothing runs"; fi

test: SETUP_FOR := tests
test: setup ## Every test, on servers of its own (ARGS="tests/unit -k name" for some)
	@$(if $(ARGS),exec $(PY) -m pytest $(ARGS))
	failed=0
	$(PY) -m pytest -q -n auto tests/unit tests/contract || failed=1
	# Each process has a broker and a database of its own, file by file; servers that were given are used by one alone.
	given="$${CERTRAIL_TEST_MONGO_ADMIN_URL:-}$${CERTRAIL_TEST_AMQP_ADMIN_URL:-}"
	cores=$$(nproc)
	many="-n $$((cores < 4 ? cores + 1 : 4)) --dist=loadfile --no-loadscope-reorder"
	if [ -n "$$given" ]; then many="-n 0"; fi
	$(PY) -m pytest -q $$many --ignore=tests/unit --ignore=tests/contract || failed=1
	exit $$failed

chaos: setup ## The platform on clusters while everything breaks, then a rolling update (ARGS="--minutes 5 --seed 7")
	@$(if $(ARGS),exec $(PY) -m tests.chaos.suite $(ARGS))
	$(PY) -m tests.chaos.suite
	CERTRAIL_TEST_ROLLING=1 $(PY) -m pytest -q tests/chaos/test_rolling_update.py

check: setup ## Format, lint, types, import contracts, drift of published schemas, licences, secrets
	@step() { echo "== $$1"; shift; "$$@"; }
	step format .venv/bin/ruff format --check --quiet $(CODE)
	step lint .venv/bin/ruff check --quiet $(CODE)
	step types .venv/bin/mypy
	step "import contracts" .venv/bin/lint-imports --no-logo
	step "published schemas" $(PY) -m libs.common.events.contracts --check
	step "schema of definitions" $(PY) -m libs.common.programs.schema --check
	step "licences of packages" $(PY) -m deploy.supply.licences
	step "secrets in files" $(PY) -m deploy.supply.secrets

sbom: setup ## A bill of materials (CycloneDX) for each image, in .state/sbom (ARGS=folder for another)
	@$(PY) -m deploy.supply.sbom $(ARGS)

audit: setup ## Ask a public database for known weaknesses of the locked packages; needs the network
	@.venv/bin/uv tool run --system-certs pip-audit==2.10.1 --disable-pip --require-hashes $(addprefix -r ,$(filter-out requirements/uv.txt requirements/dev.txt,$(wildcard requirements/*.txt)))

fuzz: setup ## Feed parsers with bytes that nobody wrote (ARGS="mail_report --seconds 600"; all of them without)
	@exec .venv/bin/uv run --no-project --system-certs --quiet --with atheris==3.0.0 --python .venv/bin/python python -m tests.fuzz $(ARGS)

bench: setup ## The benchmark tables, product beside reference
	@$(PY) -m tests.bench $(ARGS)

snapshots: setup ## Write down anew what every mail says, for the tests; look at the difference
	@$(PY) -m tests.unit.notify.snapshots

messages: setup ## Collect the portal's sentences into the catalogues for translators
	@$(PY) -m deploy.messages

gallery: SETUP_FOR := tests
gallery: setup ## Take the pictures of docs/gallery anew, on a platform of their own
	@$(PY) -m tests.gallery

fmt: setup ## Format and fix what can be fixed
	@.venv/bin/ruff format $(CODE)
	.venv/bin/ruff check --fix $(CODE)

clean: stop ## Stop, then remove all data, caches and the environment
	@rm -rf .state .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
