# Centralita: everything from a clean clone.   make run | make demo | make demo-campaign | make test | make check
#
# Each step of the set-up leaves a stamp in .venv/.stamps and is not done again: a second start asks no
# network. Debian packages are installed with apt, through sudo for an ordinary user, and only if missing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Where it is set, every process compiles all it imports at each start, which takes more than twice as long.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/.stamps
# The system's own first: Debian builds it optimised, pyenv does not unless told to, and then a call costs 15 % more.
PYTHON ?= $(or $(shell /usr/bin/python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
   && echo /usr/bin/python3),$(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null)))
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get
PIP := $(PY) -m pip --disable-pip-version-check --require-virtualenv
DOWNLOAD_MB := 530
EXTRAS := phone,voices,recognition,dev
# What tests use beyond what running needs.
TEST_PACKAGES := sip-tester postgresql chromium
# Passed on: make test ARGS="-k menu", make run LAN=1
ARGS ?=
LAN ?=

.PHONY: help run demo demo-campaign test check types style rooms shipped setup test-tools install-asterisk voices pins clean

help: ## what can be made
	@echo "Centralita"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo; echo '  make run LAN=1        also listens on the local network, for a phone on the table'
	@echo '  make test ARGS="-k x"  only some tests'

run: setup ## set up what is missing and start the contact center
	@exec $(VENV)/bin/centralita up $(if $(LAN),--lan) $(ARGS)

demo: setup ## a call you can watch: reception, a killed engine, a page that shows it all
	@exec $(VENV)/bin/centralita demo $(ARGS)

demo-campaign: setup ## forty simulated people are dialed for real; a table accounts for every one of them
	@exec $(VENV)/bin/centralita campaign demo $(ARGS)

test: setup test-tools ## set up, and run every test
	@$(PY) -m pytest -n 5 --dist loadfile --no-loadscope-reorder $(ARGS)

check: types style rooms shipped ## style, types, the rooms' rules, and the shipped configuration

types: $(STAMPS)/python
	@$(VENV)/bin/mypy

style: $(STAMPS)/python
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

rooms: $(STAMPS)/python
	@$(VENV)/bin/lint-imports

shipped: setup
	@$(VENV)/bin/centralita check

setup: $(STAMPS)/python $(STAMPS)/asterisk $(STAMPS)/voices ## Python, Asterisk, voices: all that running needs

install-asterisk: $(STAMPS)/python ## look for a suitable Asterisk, make a private one if there is none
	@$(PY) -m telephony.node install
	@touch $(STAMPS)/asterisk

voices: $(STAMPS)/voices

pins: ## for maintainers: write constraints.txt from what is installed now
	@{ echo "# The versions everything was tested with. Written by: make pins"; \
	   $(PIP) freeze --all --exclude-editable | grep -v '^pip=='; } > constraints.txt
	@echo "constraints.txt: $$(grep -c == constraints.txt) packages"

clean: ## remove what make made in this directory; your data in var/ stays
	rm -rf $(VENV) build demo.html demo-campaign.html .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo 'Kept: var/ (journal, recordings, secrets) and the private Asterisk below ~/.cache/centralita.'

# -- steps ----------------------------------------------------------------------------------------
$(PY):
	@if [ -z "$(PYTHON)" ]; then echo "Installing Debian packages: python3 python3-venv"; \
	   $(APT) update -q; $(APT) install -y --no-install-recommends python3 python3-venv; fi
	@python=$${PYTHON:-$(or $(PYTHON),python3)}; \
	 $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	   || { echo "Python 3.11 or later is needed and $$python is older: install one, then: make PYTHON=/path/to/it"; exit 1; }; \
	 $$python -c 'import ensurepip' 2>/dev/null \
	   || { echo "Installing Debian package: python3-venv"; \
	        $(APT) install -y --no-install-recommends python3-venv \
	          || { $(APT) update -q; $(APT) install -y --no-install-recommends python3-venv; }; }; \
	 rm -rf $(VENV); $$python -m venv $(VENV)

$(STAMPS)/python: pyproject.toml constraints.txt | $(PY)
	@echo "Python packages: about $(DOWNLOAD_MB) MB to download the first time (voices and speech recognition are most), 1.3 GB on disk."
	@$(PIP) install --quiet --constraint constraints.txt setuptools wheel
	@$(PIP) install --no-compile --no-build-isolation --constraint constraints.txt --editable '.[$(EXTRAS)]' \
	   | $(PY) .ci/pip_progress.py $(DOWNLOAD_MB)
	@mkdir -p $(STAMPS); touch $@

$(STAMPS)/asterisk: telephony/node/install.py asterisk/templates/modules.conf.j2 | $(STAMPS)/python
	@$(PY) -m telephony.node install
	@touch $@

$(STAMPS)/voices: $(STAMPS)/python
	@echo "Trying the voices:"; $(PY) -m speech voices
	@touch $@

test-tools: $(STAMPS)/test-tools

$(STAMPS)/test-tools: Makefile | $(STAMPS)/asterisk
	@$(PY) -m telephony.node packages $(TEST_PACKAGES)
	@touch $@
