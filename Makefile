# Two commands set everything up and run it: `make demo` and `make test`. Both work from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

LLM := .venv-llm
TORCH ?= torch==2.13.0

.PHONY: demo test test-llm test-ultralytics test-cluster lint soak mutation clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/rune-smt demo --out demo-out

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(WORKERS)

# Models with random weights, and a real one where the development data has it. Its own environment, for torch is large.
# Skipped, with a line that says why, where there is too little disk or the packages cannot be had.
LLM_DISK_GB ?= 6
$(LLM)/.installed: pyproject.toml
	$(PYTHON) -m venv $(LLM)
	$(LLM)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(LLM)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[openai,transformers]' hypothesis pytest
	touch $@

test-llm:
	@free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1048576) }'); \
	if [ ! -e $(LLM)/.installed ] && [ $$free -lt $(LLM_DISK_GB) ]; then \
		echo "test-llm: skipped, $$free GB of disk are free and $(LLM_DISK_GB) GB are needed"; \
	elif ! $(MAKE) --no-print-directory $(LLM)/.installed; then \
		echo "test-llm: skipped, the packages cannot be installed"; \
	else \
		$(LLM)/bin/python -m pytest tests/llm/random_weights.py tests/llm/real_weights.py tests/llm/real_server.py; \
	fi

# Detectors that bring torch and torchvision, with real weights where the development data has them. Skipped, with a line
# that says why, where there is too little disk or the packages cannot be had.
DETECTORS := .venv-ultralytics
TORCHVISION ?= torch==2.14.1 torchvision==0.29.1
DETECTORS_DISK_GB ?= 12
$(DETECTORS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(DETECTORS)
	$(DETECTORS)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCHVISION)
	$(DETECTORS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[detect,geo,ultralytics,supervision]' transformers hypothesis pytest
	$(DETECTORS)/bin/python -m pip install --quiet --disable-pip-version-check fiftyone || echo "without fiftyone: its test is skipped"
	touch $@

test-ultralytics:
	@free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1048576) }'); \
	if [ ! -e $(DETECTORS)/.installed ] && [ $$free -lt $(DETECTORS_DISK_GB) ]; then \
		echo "test-ultralytics: skipped, $$free GB of disk are free and $(DETECTORS_DISK_GB) GB are needed"; \
	elif ! $(MAKE) --no-print-directory $(DETECTORS)/.installed; then \
		echo "test-ultralytics: skipped, the packages cannot be installed"; \
	else \
		$(DETECTORS)/bin/python -m pytest tests/models/detectors.py -W default; \
	fi

# A Ray cluster of this machine, which listens on 127.0.0.1 and stops by itself.
CLUSTER := .venv-cluster
$(CLUSTER)/.installed: pyproject.toml
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[cluster]' hypothesis pytest
	touch $@

test-cluster:
	@if ! $(MAKE) --no-print-directory $(CLUSTER)/.installed; then \
		echo "test-cluster: skipped, ray cannot be installed"; \
	else \
		$(CLUSTER)/bin/python -m pytest tests/cluster/local_cluster.py -W default; \
	fi

# Random (formula, scene) pairs through every engine and mode: make soak, or SOAK_PAIRS=1000000 SOAK_SEED=7 make soak.
SOAK_PAIRS ?= 100000
SOAK_SEED ?= 1
soak: $(VENV)/.installed
	$(BIN)/python -m rune_smt.testing.soak --pairs $(SOAK_PAIRS) --seed $(SOAK_SEED)

# What the tests would not notice: changes one place of the passes, the encodings and the checker at a time. It takes about
# an hour. make mutation, or MUTATION="passes checker" make mutation; tests/mutation.md says how to read what survives.
MUTATING := .venv-mutation
MUTMUT ?= mutmut==3.8.1
MUTATION ?=
$(MUTATING)/.installed: pyproject.toml
	$(PYTHON) -m venv $(MUTATING)
	$(MUTATING)/bin/python -m pip install --quiet --disable-pip-version-check --editable . hypothesis jsonschema pytest $(MUTMUT)
	touch $@

mutation: $(MUTATING)/.installed
	nice $(MUTATING)/bin/python tests/mutation.py $(MUTATION)

clean:
	rm -rf $(LLM) $(DETECTORS) $(CLUSTER) $(MUTATING) $(VENV) .mutation demo-out dist build
