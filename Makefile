# Each target installs what it needs into .venv first; a fresh clone needs nothing else.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo demo-distributed up test lint format bench chaos storm compose-check asyncapi openapi lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

.venv/.runtime: requirements.lock pyproject.toml
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9; }
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps -e .
	@deploy/need libcurl4:/usr/lib/x86_64-linux-gnu/libcurl.so.4 libfribidi0:/usr/lib/x86_64-linux-gnu/libfribidi.so.0
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: servers
servers: # RabbitMQ, Caddy and Postfix's sink from Debian, for what runs over real servers
	@deploy/need rabbitmq-server:/usr/lib/rabbitmq/bin/rabbitmq-server caddy:/usr/bin/caddy

demo: .venv/.runtime ## Publish, correct and retract the examples end to end, then exit
	@$(BIN)/herald demo $(if $(JSON),--json $(JSON))

demo-distributed: .venv/.runtime servers ## The same over RabbitMQ, each service its own process
	@$(BIN)/herald demo --distributed $(if $(JSON),--json $(JSON))

up: .venv/.runtime ## Run the embedded stack until Ctrl+C
	@$(BIN)/herald up

test: .venv/.dev servers lint ## Everything CI runs
	@$(BIN)/pytest -m timed
	@$(BIN)/pytest -m "not timed and not storm" --numprocesses auto --dist loadfile --no-loadscope-reorder

lint: .venv/.dev ## Style, types and the walls between rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.dev ## Put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.runtime servers ## Publish-to-outlet latency over 200 articles, distributed
	@$(BIN)/herald demo --distributed --probes 200 $(if $(JSON),--json $(JSON))

chaos: .venv/.dev servers ## Kill the parts at random while 200 articles are published
	@$(BIN)/pytest tests/chaos -s -m "not storm"

storm: .venv/.dev servers ## 10,000 deliveries on ten networks that fail at random, two replicas killed meanwhile
	@$(BIN)/pytest tests/chaos/test_delivery_storm.py -s -m storm

asyncapi: .venv/.dev ## Write shared/contracts/asyncapi.json anew
	@$(BIN)/python -m shared.contracts.asyncapi --write

openapi: .venv/.dev ## Write shared/web/openapi.json anew
	@$(BIN)/python -m services.standalone.openapi --write

lock: ## Resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate --extra embedded pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate --extra embedded --extra dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what the targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
