# The project's commands. `make` alone prints them.
PYTHON ?= python3
BIN = .venv/bin
WORKERS ?= auto
# What else marks a sentence for the translators, beside gettext's own names; its first argument is the sentence.
KEYWORDS = lazy_gettext SchoolError InvalidValue StaleRecord Refused NothingToUndo AlreadyUndone NotArchived NotEmpty

help: ## print this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 18

run: .venv/run ## serve http://127.0.0.1:8000 with the demo school (PORT changes the port)
	@$(BIN)/fsms serve --prepare

test: .venv/dev ## run the tests on a real PostgreSQL (DATABASE_URL names another server)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not e2e and not office" $(ARGS)

lint: .venv/dev ## check form, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

e2e: .venv/dev ## run the browser tests in Chromium (Debian: apt-get install chromium)
	$(BIN)/python -m pytest -p no:randomly -m e2e tests/e2e $(ARGS)

office: .venv/dev ## let LibreOffice read what the lists give away (Debian: apt-get install libreoffice-calc)
	$(BIN)/python -m pytest -m office tests/office $(ARGS)

bench: .venv/dev ## measure pages against plain SQL in the same run
	$(BIN)/python -m benchmarks $(ARGS)

check: lint test ## what must hold before a commit

format: .venv/dev ## bring the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

translate: .venv/run ## gather the words of the screens, and compile the Khmer catalogues
	@mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping babel.cfg $(KEYWORDS:%=--keyword %) --add-location file --no-wrap \
		--project "Friendship School" --output build/messages.pot .
	$(BIN)/pybabel --quiet update --input-file build/messages.pot --output-dir translations --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date --no-wrap
	$(BIN)/pybabel compile --domain "messages admin wtforms" --directory translations --statistics

lock: ## work out the versions anew, with their hashes
	$(PYTHON) -m venv .venv/lock-tools
	.venv/lock-tools/bin/pip install --quiet uv
	.venv/lock-tools/bin/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		--extra dev pyproject.toml -o requirements-dev.lock
	.venv/lock-tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		--constraint requirements-dev.lock pyproject.toml -o requirements.lock

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/python requirements.lock pyproject.toml
	@echo "Installing what the application needs (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/python requirements-dev.lock pyproject.toml
	@echo "Installing what the tests need (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ .venv/run

.PHONY: help run test lint e2e office bench check format translate lock
