.DEFAULT_GOAL := help
.PHONY: help demo demo-timeline demo-scaling record-faults test lint types bench soak fuzz docs lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

help: ## List what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps, so that the demo does not wait for the test tools.
$(VENV)/.local: requirements/local.txt pyproject.toml
	@$(PYTHON) tools/setup.py $(VENV) requirements/local.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	@$(PYTHON) tools/setup.py $(VENV) requirements/dev.txt
	@touch $@ $(VENV)/.local

demo: $(VENV)/.local ## Follow one request through five functions, on this machine
	@$(RUN) examples/correlation/demo.py

demo-timeline: $(VENV)/.local ## Show what each failure policy does to a stream
	@$(RUN) examples/timeline/demo.py

demo-scaling: $(VENV)/.dev ## Show a stream that scales itself (six minutes)
	@$(RUN) examples/scaling/demo.py

test: $(VENV)/.dev ## Run every test
	@$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.dev ## Check style, types and the walls between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev ## Measure against the libraries people use now
	@$(RUN) -m benchmarks

soak: $(VENV)/.dev ## Run the long tests (bounded)
	@$(RUN) -m pytest tests/soak -o testpaths= -m soak

fuzz: $(VENV)/.dev ## Put mutated events through capture, forward and log (bounded)
	@CLEW_FUZZ=1 $(RUN) -m pytest -s tests/fuzz tests/test_robustness.py

docs: $(VENV)/.dev ## Check that the documentation's code runs
	@$(RUN) -m pytest tests/docs

record-faults: $(VENV)/.dev ## Record again what functions log when something breaks
	@$(RUN) tools/record_faults.py

lock: ## Write the pinned requirements again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra local --extra examples --extra checkout -c requirements/dev.txt pyproject.toml -o requirements/local.txt

clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
