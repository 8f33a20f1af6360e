# The only entry points; .ci/run calls the same. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
MINILM := build/models/minilm
EXTRACT := build/models/extract
EXTRACTION := exporter/reduction/extraction/thistledown-extract
GRANITE := build/models/granite-4.0-h-350m-random
LAYER := build/models/granite-4.0-h-1b-one-mamba-layer-random
BENCH_FLAGS ?=
EXPORTER_SOURCES := $(shell find exporter wgsl_kernels -name '*.py' -o -name '*.wgsl')

.PHONY: help setup demo check test parity bench performance site passages lock
.DEFAULT_GOAL := help

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup:  ## everything that check and test need: .venv, node_modules, a Chromium, a software Vulkan driver
	@$(PYTHON) -m scripts.setup test

# The extraction model is served where its checkpoint is part of the tree.
DEMO := $(MINILM) $(if $(wildcard $(EXTRACTION)/config.json),$(EXTRACT))

demo:  ## export all-MiniLM-L6-v2 and the extraction model, and serve the pages that use them; PORT=8000
	@$(PYTHON) -m scripts.setup demo
	@$(MAKE) --no-print-directory $(DEMO:=/manifest.json)
	@exec $(BIN)/thistledown serve $(DEMO) --port $(PORT)

$(EXTRACT)/manifest.json: $(EXPORTER_SOURCES) requirements.lock $(wildcard $(EXTRACTION)/*)
	@scripts/timed "demo: export of the extraction model" \
	  $(BIN)/thistledown export $(EXTRACTION) -o $(EXTRACT) --quantize q8 --overwrite
	@touch $@

$(MINILM)/manifest.json: $(EXPORTER_SOURCES) requirements.lock
	@scripts/timed "demo: export of MiniLM" $(BIN)/thistledown export minilm -o $(MINILM) --quantize q8 --overwrite
	@touch $@

check: setup  ## lint, format, types of Python and JavaScript, the rules of the architecture
	@scripts/timed "check: ruff check" $(BIN)/ruff check .
	@scripts/timed "check: ruff format" $(BIN)/ruff format --check .
	@scripts/timed "check: mypy --strict" $(BIN)/mypy
	@scripts/timed "check: tsc" npm run --silent typecheck
	@scripts/timed "check: architecture" $(BIN)/python -m pytest -q tests/architecture

test: setup  ## the whole suite, as many tests at a time as there are cores, but at most 4
	@scripts/timed "test: pytest" $(BIN)/python -m pytest -n logical --maxprocesses 4 --durations=10

parity: setup  ## rewrite docs/parity.md: every architecture in three runtimes against transformers
	@$(BIN)/python -m pytest -q tests/exporter/test_parity_granite.py tests/exporter/test_parity_decoders.py \
	  tests/exporter/test_parity_encoders.py tests/whole/test_encoders_in_the_browser.py \
	  tests/whole/test_granite_in_the_browser.py tests/whole/test_decoders_in_the_browser.py --write-parity

# Without a GPU: make bench GRANITE=build/models/granite-4.0-h-350m-eight-layers-random BENCH_FLAGS="--software --rounds 3 --tokens 4 --texts 8"
bench: setup  ## MiniLM and random Granites in a browser, in turns with other engines; BENCH_FLAGS="--rounds 9"
	@$(MAKE) --no-print-directory $(GRANITE)/manifest.json $(LAYER)/manifest.json \
	  $(MINILM)/manifest.json $(MINILM)-f32/manifest.json
	@$(BIN)/thistledown bench $(GRANITE) --kernels $(BENCH_FLAGS) -o build/bench/granite-350m.json
	@$(BIN)/thistledown bench $(LAYER) --prefill 128,512 --decode 0 --scan 512 $(BENCH_FLAGS) -o build/bench/mamba-layer.json
	@$(BIN)/thistledown bench $(MINILM) --float $(MINILM)-f32 $(BENCH_FLAGS) -o build/bench/minilm-q8.json
	@$(BIN)/thistledown bench $(MINILM)-f32 $(BENCH_FLAGS) -o build/bench/minilm-f32.json

performance:  ## rewrite the tables of docs/performance.md from what make bench has measured
	@$(BIN)/python -m scripts.write_performance $(sort $(wildcard build/bench/*.json))

$(MINILM)-f32/manifest.json: $(EXPORTER_SOURCES) requirements.lock
	@$(BIN)/thistledown export minilm -o $(MINILM)-f32 --quantize f32 --overwrite
	@touch $@

# A random model of one of the shapes: build/models/SHAPE-random.
build/models/%-random/manifest.json: $(EXPORTER_SOURCES) requirements.lock
	@$(BIN)/python -m scripts.random_checkpoint $(firstword $(wildcard bench/shapes/$* tests/published/$*)) \
	  -o build/checkpoints/$*
	@$(BIN)/thistledown export build/checkpoints/$* -o build/models/$*-random --quantize q4 --context 4608 --overwrite
	@touch $@

site: setup  ## rewrite site/built, what visitors fetch, after a change of the site's scripts, pages or texts of pages
	@npm run --silent build
	@$(BIN)/python -m scripts.make_pages

passages: setup  ## rewrite the search page's passages from the documents
	@$(BIN)/python -m scripts.make_passages

lock:  ## rewrite both lock files from pyproject.toml
	@scripts/lock
