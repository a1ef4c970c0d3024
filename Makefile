# Everything a newcomer needs. `make` alone says what there is.

SHELL := /bin/bash
VENV := .cache/venv
SPECIMEN_VENV := .cache/specimens/venv
CASES ?= 60
MINUTES ?= 5
SEED ?=
SPLIT ?= tune
OUT ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-stop clean-demo test cluster bench score specimens fmt lint

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Install what building, testing and running need
	@tools/setup/setup.sh

demo: setup ## Show everything once, on invented cases; leaves a server running
	@tools/demo.sh start

demo-stop: ## Stop the server of the demonstration
	@tools/demo.sh stop

clean-demo: ## Stop it and remove its data
	@tools/demo.sh clean

test: setup ## Check format, licences, lints, documentation, and run every test
	@tools/setup/test.sh

cluster: setup ## The distributed shape on one machine, loaded and broken: [MINUTES=5] [SEED=number]
	@tools/setup/build.sh release
	@tools/setup/setup.sh models target/release/guidang
	@python3 tools/cluster/cluster.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: setup ## Measure intake, indexing, search and reading (docs/benchmarks.md)
	@tools/setup/build.sh release
	@tools/setup/setup.sh models target/release/guidang
	@tools/setup/bench.sh

score: setup ## Score the program on labelled cases: SPECIMENS=dir SCORE=path/to/score.py [OUT=dir]
	@tools/score.sh "$(SPECIMENS)" "$(SCORE)" $(OUT)

specimens: setup ## Make labelled cases: [SPLIT=train|tune|test|eval] [CASES=60] OUT=dir [SIGNATURES=dir]
	@tools/setup/specimens.sh "$(SPLIT)" "$(CASES)" "$(OUT)" "$(SIGNATURES)"

fmt: ## Format the code
	cargo fmt --all

lint: ## Lints and documentation, without the tests
	cargo clippy --workspace --all-targets --features guidang/failpoints -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
