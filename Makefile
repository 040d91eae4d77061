# `make` lists the targets. Everything lives in .venv; nothing is installed on the machine.

PYTHON ?= python3
# The build of torch: empty is the registry's own (on Linux with CUDA, some 3 GB), `cpu` takes PyTorch's CPU build.
# Any value of `uv pip install --torch-backend` will do.
TORCH_BACKEND ?=
ARCH ?= resnet50
OUT ?= bundles/$(ARCH)
WEIGHTS ?=
LABELS ?=
CALIBRATION ?=
HOLDOUT ?=
BENCHMARK_ONLY ?=

BIN := .venv/bin
UV := $(BIN)/uv
INSTALLED := .venv/.installed$(TORCH_BACKEND:%=-%)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test test-fast lint format format-check check ci bundle bench-protocol bench mutation constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 15
	@echo 'Variables: PYTHON= (3.11 or newer), TORCH_BACKEND=cpu (torch without CUDA)'

install: $(INSTALLED) ## make the environment .venv (again when pyproject.toml or constraints.txt changed)

run: $(INSTALLED) ## serve on this machine and classify a photo [MODEL_DIR= PHOTO= PORT= MODEL_NAME=]
	@$(BIN)/python -m scripts.run

test: $(INSTALLED) ## all tests, with branch coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-fast: $(INSTALLED) ## the tests of seconds, without coverage
	$(BIN)/pytest -m 'not slow'

lint: $(INSTALLED) ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(INSTALLED) ## lay the code out anew
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

format-check: $(INSTALLED) ## is the code laid out as `make format` does it?
	$(BIN)/ruff format --check

check: format-check lint ## format-check and lint

ci: ## what CI runs
	.ci/run

bundle: $(INSTALLED) ## make a bundle [ARCH= OUT= WEIGHTS=path|untrained LABELS= CALIBRATION= HOLDOUT= BENCHMARK_ONLY=1]
	$(BIN)/python -m bundle make --arch '$(ARCH)' --out '$(OUT)' \
		$(if $(WEIGHTS),--weights '$(WEIGHTS)') $(if $(LABELS),--labels '$(LABELS)') \
		$(if $(CALIBRATION),--int8-calibration '$(CALIBRATION)') $(if $(HOLDOUT),--int8-holdout '$(HOLDOUT)') \
		$(if $(BENCHMARK_ONLY),--benchmark-only)

bench-protocol: $(INSTALLED) ## what REST binary, JSON and gRPC cost, beside kserve's own server [JSON=path]
	$(BIN)/python -m benchmarks.protocol $(if $(JSON),--json '$(JSON)')

bench: $(INSTALLED) ## speed beside the plain way, the floor and peers [BUNDLE= SECONDS= ROUNDS= ONLY= LOADS= WITH= JSON= PLOT=]
	$(BIN)/python -m benchmarks $(if $(BUNDLE),--bundle '$(BUNDLE)') $(if $(SECONDS),--seconds '$(SECONDS)') \
		$(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(ONLY),--only '$(ONLY)') $(if $(LOADS),--loads '$(LOADS)') \
		$(if $(WITH),--with '$(WITH)') \
		$(if $(JSON),--json '$(JSON)') $(if $(PLOT),--plot '$(PLOT)')

mutation: $(INSTALLED) ## which changes of oip/ no test notices [MODULE=raw]
	$(BIN)/python -m scripts.mutation $(MODULE)

constraints: $(UV) ## pin anew what pyproject.toml needs [UPGRADE=1 takes the newest versions]
	$(BIN)/python -m scripts.constraints $(if $(UPGRADE),--upgrade)

clean: ## remove the environment and what tools left
	rm -rf .venv .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache dist

# uv checks the hashes that stand in the constraints; torch and what it alone needs have none, so that
# TORCH_BACKEND can choose the build.
$(INSTALLED): pyproject.toml constraints.txt $(UV)
	$(UV) pip install --python $(BIN)/python --constraints constraints.txt \
		--build-constraints constraints.txt --require-build-hashes --preview-features build-dependency-hashes \
		--compile-bytecode $(if $(TORCH_BACKEND),--torch-backend $(TORCH_BACKEND)) --editable '.[dev]'
	@touch $@

$(UV): constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed, '$(PYTHON)' is not; choose one with PYTHON=" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	@touch $@
