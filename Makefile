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
# Images: what builds and runs them (docker, podman, or buildah, which only builds), and what they are called.
DOCKER ?= docker
REGISTRY ?= localhost/image-classifier
TAG ?= latest

BIN := .venv/bin
UV := $(BIN)/uv
INSTALLED := .venv/.installed$(TORCH_BACKEND:%=-%)
LINTERS := .venv/lint

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test test-fast lint lint-manifests format format-check check ci bundle bench-protocol bench-telemetry bench monitoring mutation docker-build docker-run compose-up compose-down \
	k8s-setup k8s-deploy k8s-undeploy canary canary-promote canary-rollback kind-up kind-down constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 17
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

lint-manifests: $(INSTALLED) $(LINTERS)/.installed ## policies, YAML, Dockerfiles and shell scripts
	$(BIN)/python -m scripts.lint_manifests

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

bench-telemetry: $(INSTALLED) ## what metrics and traces cost in CPU time
	$(BIN)/python -m benchmarks.telemetry

bench: $(INSTALLED) ## speed beside the plain way, the floor and peers [BUNDLE= SECONDS= ROUNDS= ONLY= LOADS= WITH= JSON= PLOT=]
	$(BIN)/python -m benchmarks $(if $(BUNDLE),--bundle '$(BUNDLE)') $(if $(SECONDS),--seconds '$(SECONDS)') \
		$(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(ONLY),--only '$(ONLY)') $(if $(LOADS),--loads '$(LOADS)') \
		$(if $(WITH),--with '$(WITH)') \
		$(if $(JSON),--json '$(JSON)') $(if $(PLOT),--plot '$(PLOT)')

monitoring: $(INSTALLED) ## write rules and boards anew [AVAILABILITY=0.999 LATENCY=0.95 LATENCY_SECONDS=0.1 RUNBOOKS=url CHECK=1]
	$(BIN)/python -m monitoring $(if $(AVAILABILITY),--availability '$(AVAILABILITY)') $(if $(LATENCY),--latency '$(LATENCY)') \
		$(if $(LATENCY_SECONDS),--latency-seconds '$(LATENCY_SECONDS)') $(if $(RUNBOOKS),--runbooks '$(RUNBOOKS)') $(if $(CHECK),--check)

mutation: $(INSTALLED) ## which changes of oip/ no test notices [MODULE=raw]
	$(BIN)/python -m scripts.mutation $(MODULE)

docker-build: ## both images [DOCKER=podman REGISTRY= TAG= BASE= DEVICE=cpu|cuda TORCH_BACKEND= BUNDLE=bundles/... to bake in]
	$(BUILD_IMAGE) --file Dockerfile.predictor --tag '$(REGISTRY)/predictor$(VARIANT):$(TAG)' $(if $(DEVICE),--build-arg DEVICE='$(DEVICE)') \
		$(if $(TORCH_BACKEND),--build-arg TORCH_BACKEND='$(TORCH_BACKEND)') $(if $(BUNDLE),--build-arg BUNDLE='$(BUNDLE)') .
	$(BUILD_IMAGE) --file Dockerfile.transformer --tag '$(REGISTRY)/transformer:$(TAG)' .

# The transformer lives in the predictor's network, so that one port is enough; Ctrl-C stops both.
docker-run: ## serve with both images [DOCKER=podman REGISTRY= TAG= MODEL_DIR= MODEL_NAME= PORT=]
	@test -f '$(BUNDLE_DIR)/model.json' || { echo "MODEL_DIR: '$(BUNDLE_DIR)' is no bundle; make bundle makes one" >&2; exit 1; }
	$(RUN_IMAGE) --detach --name image-classifier-predictor --publish '127.0.0.1:$(or $(PORT),8080):8080' \
		--volume '$(abspath $(BUNDLE_DIR)):/mnt/models:ro' --env HTTP_PORT=9000 --env GRPC_PORT=9001 '$(REGISTRY)/predictor:$(TAG)'
	@trap '$(DOCKER) stop image-classifier-predictor' EXIT; trap : INT TERM; \
	$(RUN_IMAGE) --name image-classifier-transformer --network container:image-classifier-predictor \
		--env PREDICTOR_HOST=127.0.0.1:9001 '$(REGISTRY)/transformer:$(TAG)'

BUNDLE_DIR = $(or $(MODEL_DIR),bundles/resnet50)
# As manifests/components/images names them.
VARIANT = $(if $(filter cuda,$(DEVICE)),-cuda)$(if $(BUNDLE),-baked)
# Only docker's format has a health check.
BUILD_IMAGE = $(DOCKER) build $(if $(filter docker,$(DOCKER)),,--format docker) $(if $(BASE),--build-arg BASE='$(BASE)') \
	--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
	--build-arg REVISION="$$(git rev-parse HEAD)" --build-arg CREATED="$$(git log -1 --format=%cI)"
RUN_IMAGE = $(DOCKER) run --rm --read-only --tmpfs /tmp:size=64m --cap-drop ALL --security-opt no-new-privileges \
	--memory 1g --stop-timeout 40 --env MODEL_NAME='$(or $(MODEL_NAME),resnet50)'

k8s-setup: $(INSTALLED) ## what a cluster lacks for an overlay [OVERLAY=manifests/overlays/... NAMESPACE= CONTEXT=]
	$(BIN)/python -m scripts.setup $(IN_OVERLAY)

k8s-deploy: $(INSTALLED) ## check, apply, wait, classify a photo [OVERLAY= NAMESPACE= CONTEXT= TIMEOUT= PHOTO= URL= HEADER= FORCE=1]
	$(BIN)/python -m scripts.deploy $(IN_OVERLAY) $(WAITING) $(if $(PHOTO),--photo '$(PHOTO)') $(if $(URL),--url '$(URL)') \
		$(if $(HEADER),--header '$(HEADER)') $(if $(FORCE),--force-conflicts)

k8s-undeploy: $(INSTALLED) ## remove what an overlay brought [OVERLAY= NAMESPACE= CONTEXT= TIMEOUT=]
	$(BIN)/python -m scripts.undeploy $(IN_OVERLAY) $(WAITING)

canary: $(INSTALLED) ## give a new bundle a share of the traffic [STORAGE_URI= RUNTIME= PERCENT=10 SERVICE= NAMESPACE= CONTEXT= TIMEOUT=]
	$(BIN)/python -m scripts.canary start $(OF_SERVICE) $(if $(STORAGE_URI),--storage-uri '$(STORAGE_URI)') $(if $(RUNTIME),--runtime '$(RUNTIME)') \
		$(if $(PERCENT),--percent '$(PERCENT)')

canary-promote: $(INSTALLED) ## give it all of the traffic [SERVICE= NAMESPACE= CONTEXT= TIMEOUT=]
	$(BIN)/python -m scripts.canary promote $(OF_SERVICE)

canary-rollback: $(INSTALLED) ## give it none [SERVICE= NAMESPACE= CONTEXT= TIMEOUT=]
	$(BIN)/python -m scripts.canary rollback $(OF_SERVICE)

IN_CLUSTER = $(if $(CONTEXT),--context '$(CONTEXT)') $(if $(NAMESPACE),--namespace '$(NAMESPACE)')
IN_OVERLAY = $(if $(OVERLAY),--overlay '$(OVERLAY)') $(IN_CLUSTER)
WAITING = $(if $(TIMEOUT),--timeout '$(TIMEOUT)')
OF_SERVICE = $(if $(SERVICE),--name '$(SERVICE)') $(IN_CLUSTER) $(WAITING)

kind-up: $(INSTALLED) ## a cluster on this machine with Knative and KServe [TRUST=1 lists checksums of what it downloads]
	$(BIN)/python -m scripts.kind up $(if $(TRUST),--trust-first-download)

kind-down: $(INSTALLED) ## remove that cluster
	$(BIN)/python -m scripts.kind down

compose-up: ## both servers, Prometheus, Alertmanager and Grafana as containers [BUNDLE= MODEL_NAME= *PORT= GRAFANA_PASSWORD=]
	$(DOCKER) compose up --build --detach --wait

compose-down: ## stop them
	$(DOCKER) compose down

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

# Every package is pinned with its hashes, and none is built here.
$(LINTERS)/.installed: constraints-lint.txt $(UV)
	test -x $(LINTERS)/bin/python || $(BIN)/python -m venv --without-pip $(LINTERS)
	$(UV) pip sync --python $(LINTERS)/bin/python --require-hashes --only-binary :all: constraints-lint.txt
	@touch $@

$(UV): constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed, '$(PYTHON)' is not; choose one with PYTHON=" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	@touch $@
