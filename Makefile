# `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

BINARY := artifacts/bin/kruise-image
SOURCES := $(shell find Program.cs Modes Reconcile Cri Crds manifests -type f 2>/dev/null) \
           kruise-image.csproj Directory.Build.props Directory.Packages.props global.json packages.lock.json
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null)
BED := e2e/bed/bin/Release/net10.0/bed
DEMO_DIR ?= /tmp/kruise-image-demo
CLUSTER ?= local

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(BINARY) ## the one static native executable, artifacts/bin/kruise-image

$(BINARY): $(SOURCES)
	@e2e/install-parts.sh build
	@echo "build: $(BINARY) (ahead-of-time compiled, about a minute)"
	@dotnet publish kruise-image.csproj --configuration Release --runtime linux-x64 \
	  --output artifacts/bin --verbosity quiet -clp:NoSummary -p:SourceRevisionId=$(COMMIT) -p:CopyOutputSymbolsToPublishDirectory=false
	@touch $@

check: ## formatting, and every project built with warnings as errors
	dotnet format kruise-image.csproj --verify-no-changes
	dotnet format tests/tests.csproj --verify-no-changes
	dotnet format e2e/bed/bed.csproj --verify-no-changes
	dotnet build --verbosity quiet -clp:NoSummary tests/tests.csproj
	dotnet build --verbosity quiet -clp:NoSummary e2e/bed/bed.csproj

fmt: ## format the code
	dotnet format kruise-image.csproj
	dotnet format tests/tests.csproj
	dotnet format e2e/bed/bed.csproj

demo: parts build bed ## the manual's job on a whole cluster; CI=1 or `make demo ONCE=1` tears it down at the end
	@e2e/sandbox.sh $(BED) demo $(if $(CI)$(ONCE),--once)

demo-up: parts $(if $(BARE),,build) bed ## a cluster that stays; BARE=1 leaves the controller and the daemons to you
	@e2e/demo-up.sh "$(DEMO_DIR)" $(BED) up $(if $(BARE),--bare)

demo-down: ## ends the cluster of demo-up
	@e2e/demo-down.sh "$(DEMO_DIR)"

clean: ## what was built; the installed parts stay
	rm -rf artifacts bin obj tests/bin tests/obj e2e/*/bin e2e/*/obj

parts:
	@e2e/install-parts.sh bed

bed:
	@dotnet build e2e/bed --configuration Release --verbosity quiet -clp:NoSummary

.PHONY: help build check fmt demo demo-up demo-down clean parts bed
