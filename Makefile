# make lab    sets up and runs the whole system on this machine, on loopback only
# make check  sets up and runs everything that must pass
# Both can be called again at any time, and after `git clean -xdf`.

PYTHON ?= python3
ARGS ?=
PROCESSES ?= 3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: openapi lab check format lint types contracts test lock protos

lab: $(VENV)/lab.stamp
	@$(BIN)/bootz lab $(ARGS)

check: $(VENV)/check.stamp packages format lint types contracts test

# Locked with hashes: what is installed is what was tested. Words of the set-up go to stderr:
# stdout is the command's own, which may be JSON.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

$(VENV)/bin/python:
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) >&2

$(VENV)/lab.stamp: requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(INSTALL) --require-hashes -r requirements.lock >&2
	@$(INSTALL) --no-deps --no-build-isolation -e . >&2
	@$(BIN)/python -m compileall -q src/bootz >&2
	@touch $@

$(VENV)/check.stamp: requirements-check.lock $(VENV)/lab.stamp
	@$(INSTALL) --require-hashes -r requirements-check.lock >&2
	@touch $@

# The OpenID Connect provider that tests log in with: an environment of its own.
$(VENV)/oidc.stamp: tests/oidc/provider.lock | $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)/oidc >&2
	@$(VENV)/oidc/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< >&2
	@touch $@

.PHONY: packages
packages:
	@tools/install-test-packages

format: $(VENV)/check.stamp
	$(BIN)/ruff format --check --quiet .

lint: $(VENV)/check.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/python tools/plain_words.py

types: $(VENV)/check.stamp
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests

contracts: $(VENV)/check.stamp
	$(BIN)/lint-imports --no-cache

test: $(VENV)/check.stamp $(VENV)/oidc.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest --numprocesses $(PROCESSES) --dist worksteal $(ARGS)

# Every step at which the power can go while a standby card is verified (use cases 2 and 3).
.PHONY: power-cuts
power-cuts: $(VENV)/check.stamp
	@BOOTZ_EVERY_STEP=1 $(BIN)/pytest tests/device/test_power_cuts.py -q -s $(ARGS)

# The check of DHCP configurations beside the real servers, on generated files; needs the rights of
# root. ARGS="--count 2000 --seed 1 --server kea4".
.PHONY: check-dhcp
check-dhcp: $(VENV)/check.stamp packages
	@cd tests && PATH="$$PATH:/usr/sbin:/sbin" $(CURDIR)/$(BIN)/python -m dhcp.differential $(ARGS)

# The upgrade of a large database, on SQLite and PostgreSQL, and kill -9 within it; about 3 GB in the
# temporary folder. ARGS="--engine sqlite --chassis 100000 --events 1000000 --kills 20".
.PHONY: check-upgrade
check-upgrade: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m store.large_upgrade $(ARGS)

# A PostgreSQL that is lost while routers onboard, and its standby. ARGS="--rounds 5"; with --silent
# in a network namespace of its own, which needs the rights of root, and iptables.
.PHONY: check-failover
check-failover: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m store.failover $(ARGS)

# What a large journal costs an onboarding, and its upkeep beside it. ARGS="--attempts 1000000".
.PHONY: check-retention
check-retention: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m store.large_journal $(ARGS)

# Sources of truth at a real Nautobot, out of PyPI. The first run takes some minutes; later ones
# restore the database that it keeps under $XDG_CACHE_HOME/bootz/sot. Needs PostgreSQL and Redis.
.PHONY: check-sot
check-sot: $(VENV)/check.stamp packages
	@cd tests && exec $(CURDIR)/$(BIN)/python -m sources.real_run

# A sync of 10,000 devices that changes nothing: time, memory, writes. ARGS="--devices 10000".
.PHONY: speed-sot
speed-sot: $(VENV)/check.stamp
	@cd tests && exec $(CURDIR)/$(BIN)/python -m sources.large $(ARGS)

# Webhooks while their sender is killed again and again. ARGS="--kills 200 --seed 1".
.PHONY: check-webhooks
check-webhooks: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m webhooks.kills $(ARGS)

# The journal's writer killed again and again. ARGS="--kills 200 --seed 1", ARGS="--url postgresql://…".
.PHONY: check-journal
check-journal: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m store.kills $(ARGS)

# Each check of the server removed in turn, in a copy: the suite for servers finds it. Some minutes.
# ARGS="--only NAME", ARGS="--write" for the table of docs/conformance.md.
.PHONY: check-mutants
check-mutants: $(VENV)/check.stamp
	$(BIN)/python tools/mutants.py $(ARGS)

# A lab night with five faulty routers, repaired through the board. ARGS="--routers 12".
.PHONY: check-board
check-board: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m board.lab_night $(ARGS)

# What the board costs with 2,000 routers: first paint, bytes, and onboardings beside 20 boards.
# ARGS="--visits 0" for the second alone, ARGS="--rounds 0" for the first.
.PHONY: speed-board
speed-board: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m board.speed $(ARGS)

# A hundred open boards, page loads, and readers that never read, at one door.
.PHONY: check-boards
check-boards: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m board.hundred

# A server of the tables' version before beside one of today's, on one PostgreSQL.
.PHONY: check-rolling
check-rolling: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m store.rolling

# The pictures of docs/board.md, out of a real Chromium.
.PHONY: pictures
pictures: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m board.pictures

# The API under the schema-driven fuzzer, with many requests of each operation. ARGS="-x -k chassis".
.PHONY: check-api
check-api: $(VENV)/check.stamp
	API_EXAMPLES=$${API_EXAMPLES:-200} $(BIN)/pytest tests/api/test_fuzz.py $(ARGS)

# Every parser of foreign bytes under atheris (docs/fuzzing.md), which is installed beside the
# environment, for this alone. ARGS="--inputs 1000000 --only cms".
$(VENV)/fuzz.stamp: tests/fuzz/atheris.lock $(VENV)/check.stamp
	@$(INSTALL) --require-hashes --upgrade --target $(VENV)/fuzz -r $< >&2
	@touch $@

.PHONY: fuzz
fuzz: $(VENV)/fuzz.stamp
	@cd tests && PYTHONPATH="$(CURDIR)/$(VENV)/fuzz" $(CURDIR)/$(BIN)/python -m fuzz.campaign \
	    --work $(CURDIR)/$(VENV)/fuzz-work $(ARGS)

# What an onboarding costs beside downloads of an image, silent connections, or slow readers.
.PHONY: speed-company
speed-company: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m bench.company $(ARGS)

# What lists and imports of the door cost at 100,000 chassis. ARGS="10000"; ARGS="--beside 5": what
# an onboarding costs beside 100 streams of events and an import of 10,000 rows, with
# --database postgresql in a PostgreSQL of its own. ARGS="--watch": what
# an event costs the screen of bootz watch.
.PHONY: speed-door
speed-door: $(VENV)/check.stamp
	@cd tests && $(CURDIR)/$(BIN)/python -m api.door_speed $(ARGS)

# What a preflight of 10,000 chassis costs, in SQLite and PostgreSQL, with a Kea beside it.
.PHONY: speed-preflight
speed-preflight: $(VENV)/check.stamp packages
	@cd tests && $(CURDIR)/$(BIN)/python -m server.preflight_speed $(ARGS)

# Wheel, sdist, lock file, bill of materials and hashes into dist/, and proof that they are whole.
.PHONY: dist
dist: $(VENV)/check.stamp
	@deploy/build-dist
	@deploy/check-dist

# The Debian package, out of dist/; needs debhelper. And all that it does in a fresh Debian; needs
# root, mmdebstrap and systemd-container.
.PHONY: deb check-deb check-debian
deb: dist
	@deploy/build-deb

check-deb:
	@deploy/check-deb

# From a fresh Debian to two servers behind HAProxy, one of them killed in a storm of routers; each
# command with its outcome. Needs the same, and some minutes.
check-debian:
	@deploy/check-debian

# The container image, out of dist/; needs buildah. And all that it does where it runs.
.PHONY: image check-image
image:
	@deploy/build-image

check-image:
	@deploy/check-image

# For whoever changes dependencies or messages; needs uv (https://docs.astral.sh/uv/).
lock:
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --extra postgresql --extra pkcs11 --extra client --extra fast --extra oidc --extra otel --group build -o requirements.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --extra postgresql --extra pkcs11 --extra client --extra fast --extra oidc --extra otel --group build --group dev \
	    -c requirements.lock -o requirements-check.lock
	uv pip compile tests/oidc/provider.in --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate -o tests/oidc/provider.lock
	uv pip compile deploy/sbom.in --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate -o deploy/sbom.lock
	uv pip compile tests/fuzz/atheris.in --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate -o tests/fuzz/atheris.lock

protos: $(VENV)/check.stamp
	$(BIN)/python tools/generate_protos.py

openapi: $(VENV)/check.stamp
	$(BIN)/python tools/write_openapi.py
	$(BIN)/python tools/write_client.py
