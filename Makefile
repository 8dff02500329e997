# One environment for everything, made from requirements.lock (first use: a few minutes).
# `make PYTHON=python3.12 …` picks the interpreter it is made with.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# What an index says of newer versions and of its own pages is no matter of ours.
QUIET_INDEX := --disable-pip-version-check --no-warn-script-location --root-user-action=ignore
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
CLUSTER := python -m pytest tests/cluster -rs --durations=0 --durations-min=1 \
  -o tmp_path_retention_policy=failed
# Tests side by side, one thread each.
PARALLEL := -n logical --maxprocesses 4 --dist worksteal
LOCAL := $(RUN) snakemake --profile profiles/local

.PHONY: help demo test docs tutorials matrix cluster-test cluster-test-short lint ui fuzz bench report \
  workflow-report gpu-kit results lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' Makefile

demo: $(READY)  ## a small end-to-end run on built-in data: tables, figures, MLflow
	@$(LOCAL) demo
	@$(RUN) python -m pipelines.demo_summary --results results

test: lint  ## lint, then every test but the slow ones of the matrix, the cluster ones and the benchmarks
	OMP_NUM_THREADS=1 $(RUN) python -m pytest $(PARALLEL) --durations=15

docs: $(READY)  ## the documentation site, build/docs/index.html, with the stored outputs of its code
	$(RUN) sphinx-build -q -W --keep-going -b html -d build/doctrees docs build/docs
	@echo "Open build/docs/index.html"

tutorials: $(READY)  ## run the code of the tutorials, and store what it prints and draws
	$(RUN) python docs/executed.py docs/tutorials/chapter*.md \
	  docs/own_net.md docs/export.md docs/gaussian_layers.md

matrix: $(READY)  ## layers compiled, exported, in several processes; whole models
	$(RUN) python -m pytest tests/matrix -m matrix $(PARALLEL) --durations=5

cluster-test: $(READY)  ## the cluster tests on a real Slurm of two nodes, here (root; installs its packages)
	$(RUN) python -m tests.cluster.packages
	$(RUN) $(CLUSTER) -m cluster

cluster-test-short: $(READY)  ## a quarter of an hour of them: two nodes, a table, four faults
	$(RUN) python -m tests.cluster.packages
	$(RUN) $(CLUSTER) -m "cluster and short"

lint: $(READY)  ## style, formatting, types, spelling, workflow
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) pyright
	$(RUN) codespell
	$(RUN) snakemake --lint

ui: $(READY)  ## the MLflow UI over results/
	@$(RUN) python -m pipelines.serve_ui --results results

fuzz: $(READY)  ## an hour of damaged files for every reader
	$(RUN) STRUCTNETS_FUZZ_SECONDS=3600 python -m pytest -rP tests/hostile/test_fuzz.py

bench: $(READY)  ## speed of the layers, of building models, of one run's overhead
	$(RUN) python -m pytest tests/benchmarks -m benchmark -s

gpu-kit: $(READY)  ## kit/: library, specs and data of the most wanted runs, for a GPU lent for minutes
	$(RUN) python -m pipelines.pack_kit --list workflow/config/gpu_kit.yaml \
	  --data-root $(or $(DATA_ROOT),../shared/data) --out kit

report: $(READY)  ## results/report.html: what was measured and drawn, one page that needs nothing else
	$(RUN) structnets report --results results

workflow-report: $(READY)  ## results/workflow.html: Snakemake's own report, with its graph of rules
	$(LOCAL) --report results/workflow.html

results: $(READY)  ## RESULTS.md from the ledger
	$(RUN) structnets results --write RESULTS.md

lock: $(READY)  ## resolve requirements.lock again, keeping what still satisfies pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --fork-strategy fewest --no-annotate --custom-compile-command "make lock" \
	  --output-file requirements.lock

clean:  ## remove the environment and caches; results, scratch and data stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find src pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs the lock in about half a minute; pip does it too where uv is not to be had. Compiled
# once here, since torch and Ray start twice as fast so, also where Python may not write bytecode.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "structnets needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: sudo apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "making the environment in .venv (half a minute, longer without uv) …"
	@{ $(BIN)/python -m pip install --quiet $(QUIET_INDEX) "$$(grep -o '^uv==[0-9.]*' requirements.lock)" && \
	  $(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock; } || { \
	  echo "uv did not succeed; installing with pip, which takes longer" >&2; \
	  $(BIN)/python -m pip install --quiet $(QUIET_INDEX) --requirement requirements.lock; }
	@$(BIN)/python -m pip install --quiet $(QUIET_INDEX) --no-deps --no-build-isolation --editable .
	@touch $@
