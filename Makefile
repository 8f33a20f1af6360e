# The only entry points; .ci/run calls the same. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
MINILM := build/models/minilm
EXPORTER_SOURCES := $(shell find exporter wgsl_kernels -name '*.py' -o -name '*.wgsl')

.PHONY: help setup demo check test parity bench passages lock
.DEFAULT_GOAL := help

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup:  ## everything that check and test need: .venv, node_modules, a Chromium, a software Vulkan driver
	@$(PYTHON) -m scripts.setup test

demo:  ## export all-MiniLM-L6-v2 and serve the page that searches with it; PORT=8000
	@$(PYTHON) -m scripts.setup demo
	@$(MAKE) --no-print-directory $(MINILM)/manifest.json
	@exec $(BIN)/thistledown serve $(MINILM) --port $(PORT)

$(MINILM)/manifest.json: $(EXPORTER_SOURCES) requirements.lock
	@scripts/timed "demo: export of MiniLM" $(BIN)/thistledown export minilm -o $(MINILM) --quantize q8 --overwrite
	@touch $@

check: setup  ## lint, format, types of Python and JavaScript, the rules of the architecture
	@scripts/timed "check: ruff check" $(BIN)/ruff check .
	@scripts/timed "check: ruff format" $(BIN)/ruff format --check .
	@scripts/timed "check: mypy --strict" $(BIN)/mypy
	@scripts/timed "check: tsc" npx --no-install tsc -p site/jsconfig.json --noEmit
	@scripts/timed "check: architecture" $(BIN)/python -m pytest -q tests/architecture

test: setup  ## the whole suite
	@scripts/timed "test: pytest" $(BIN)/python -m pytest --durations=10

parity: setup  ## rewrite docs/parity.md: every architecture in three runtimes against transformers
	@$(BIN)/python -m pytest -q tests/exporter/test_parity_granite.py tests/exporter/test_parity_decoders.py \
	  tests/exporter/test_parity_encoders.py tests/whole/test_encoders_in_the_browser.py \
	  tests/whole/test_granite_in_the_browser.py tests/whole/test_decoders_in_the_browser.py --write-parity

bench: setup  ## the plan of MiniLM on wgpu against onnxruntime on this CPU, as ratios
	@$(MAKE) --no-print-directory $(MINILM)/manifest.json
	@$(BIN)/python scripts/bench.py $(MINILM)

passages: setup  ## rewrite the search page's passages from the documents
	@$(BIN)/python -m scripts.make_passages

lock:  ## rewrite both lock files from pyproject.toml
	@scripts/lock
