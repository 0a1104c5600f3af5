# Every target makes what it needs; nothing but Python 3.11+ and make is assumed.

PYTHON ?= python3
BIN := .venv/bin
# A file's tests stay together and files in order: what a folder shares is set up once a worker.
IN_WORKERS = -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo serve test torture check bench lock wheel clean

demo: .venv/app ## run the application and a local Webex (PORT, EMULATOR_PORT, EMULATOR_BROKER_PORT)
	$(BIN)/webex-oauth demo

serve: .venv/app ## run the application with the .env in this folder
	$(BIN)/webex-oauth serve

test: .venv/dev ## run every test, in two workers; sets up browser, databases and tools by itself where it may
	scripts/install-services
	scripts/install-browser
	$(BIN)/python -m pytest $(or $(TESTS),$(IN_WORKERS))

torture: .venv/dev ## run the long versions of the tests that have one (WRITE=1 to put what they saw into docs/reliability.md)
	scripts/install-services
	TORTURE=1 WRITE=$(WRITE) $(BIN)/python -m pytest -m torture --timeout=7200 $(TESTS)

check: .venv/dev ## locks, format, lint, types, import contracts
	$(BIN)/python scripts/check-locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev bench/peers/express/node_modules ## measure against four peers, with workers, on each store (QUICK=1 for a short run, WRITE=1 to keep the results)
	PYTHONPATH=tests $(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(WRITE),--write)

bench/peers/express/node_modules: bench/peers/express/package-lock.json
	cd $(@D) && npm ci --ignore-scripts && npm rebuild better-sqlite3
	touch $@

lock: .venv/dev ## renew the lock files: hashes, no index addresses
	scripts/lock

wheel: .venv/app ## build the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

.venv/bin/python:
	$(PYTHON) scripts/require-python.py
	$(PYTHON) -m venv .venv

.venv/app: .venv/bin/python requirements/app.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/app.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/bin/python requirements/dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@ .venv/app
