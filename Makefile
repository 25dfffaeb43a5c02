# `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

BINARY := artifacts/bin/kruise-image
SOURCES := $(shell find Program.cs Modes Reconcile Cri Crds manifests -type f 2>/dev/null) \
           kruise-image.csproj substitutions.xml Directory.Build.props Directory.Packages.props global.json packages.lock.json
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null)
PROJECTS := kruise-image.csproj tests/sim/sim.csproj tests/tests.csproj tests/micro/micro.csproj e2e/bed/bed.csproj e2e/bench/bench.csproj e2e/scenarios/scenarios.csproj
QUIET := --verbosity quiet -clp:NoSummary
SIM := tests/sim/bin/Release/net10.0/kruise-image-sim
BED := e2e/bed/bin/Release/net10.0/bed
DEMO_DIR ?= /tmp/kruise-image-demo
CLUSTER ?= local

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(BINARY) ## the one static native executable, artifacts/bin/kruise-image

$(BINARY): $(SOURCES)
	@e2e/install-parts.sh build
	@echo "build: $(BINARY) (ahead-of-time compiled, about a minute)"
	@dotnet publish kruise-image.csproj --configuration Release --runtime linux-x64 \
	  --output artifacts/bin $(QUIET) -p:SourceRevisionId=$(COMMIT) -p:CopyOutputSymbolsToPublishDirectory=false
	@touch $@

test: scenario-parts build ## unit tests, then the scenarios on a cluster of real parts; ends with the sums
	@e2e/run-tests.sh unit e2e

unit: ## unit and property tests
	@e2e/run-tests.sh unit

e2e: scenario-parts build ## the scenarios; CLUSTER=kind runs them on kind
	@CLUSTER=$(CLUSTER) e2e/run-tests.sh e2e

e2e-faults: scenario-parts build ## the scenarios with faults of registry, disk, credentials, clock; some minutes
	@e2e/run-tests.sh faults

sim: ## the real controllers and daemons through random days of faults; SEEDS=1000 [SEED_BASE=n], or SEED=n [ACTS=n] with its trace
	@dotnet build tests/sim --configuration Release $(QUIET)
	@$(SIM) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --base $(or $(SEED_BASE),1)) $(if $(ACTS),--acts $(ACTS))

sim-mutants: ## plants each bug of tests/sim/mutations in a copy of the sources: the simulator must find them all
	@tests/sim/mutants.sh

conformance: export CLUSTER := external
conformance: ## the contract's "=" clauses on any cluster: KUBECONFIG=… IMAGE=… (e2e/conformance/README.md)
	@e2e/run-tests.sh conformance

fuzz: ## what strangers write against all that reads it; INPUTS=1000000 for each target, SEED=n
	@dotnet build tests --configuration Release $(QUIET)
	@FUZZ_INPUTS=$(or $(INPUTS),1000000) FUZZ_SEED=$(or $(SEED),$(shell date +%s)) \
	  tests/bin/Release/net10.0/kruise-image-tests -noColor -class '*FuzzTests' -parallelMode none

micro: ## the hot paths alone: times and allocations, and that none depends on the number of nodes; a minute
	@dotnet build tests/micro --configuration Release $(QUIET)
	@tests/micro/bin/Release/net10.0/kruise-image-micro

bench: parts build ## what it costs beside the least work there is, into docs/performance.md; WORKLOADS="W1 W2" N="500 2000" CONTROLLER='…' DAEMONS=product
	@dotnet build e2e/bench --configuration Release $(QUIET)
	@e2e/sandbox.sh e2e/bench/bin/Release/net10.0/kruise-image-bench --workloads "$(WORKLOADS)" --nodes "$(N)" \
	  $(if $(DAEMONS),--daemons $(DAEMONS)) $(if $(CONTROLLER),--controller '$(CONTROLLER)') $(if $(DAEMONS)$(CONTROLLER),,--output docs/performance.md)

soak: scenario-parts build bed ## random work and faults for MINUTES=30, then rest: does anything grow, or stay? SEED=n repeats one
	@e2e/sandbox.sh $(BED) soak $(or $(MINUTES),30) $(SEED)

recording: scenario-parts build bed ## a terminal on a cluster while it pulls, into docs/recording.svg, the README's picture
	@e2e/sandbox.sh $(BED) record docs/recording.svg

release: ## static executables for x64 and arm64, their image, SBOMs and checksums, of the checked-out commit, in artifacts/release
	@e2e/release/release.sh artifacts/release $(ARCHITECTURES)

release-check: ## makes the release twice, in different places: every byte must be the same
	@e2e/release/check.sh artifacts/release $(ARCHITECTURES)

kill-test: parts bed ## ends the bed in every way at random moments and checks that nothing is left
	@e2e/kill-test.sh

check: ## formatting, and every project built with warnings as errors
	@for project in $(PROJECTS); do \
	  echo "check: $$project"; \
	  dotnet build $$project $(QUIET) && dotnet format $$project --no-restore --verify-no-changes || exit 1; \
	done

manifests: ## writes the version into manifests/, and the Helm chart and the table of docs/install.md from manifests and settings
	@version=$$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props); \
	  sed -i -E "s|(app.kubernetes.io/version: ).*|\1$$version|; s|(image: kruise-image:).*|\1$$version|" manifests/crds/*.yaml manifests/controller/*.yaml manifests/daemon/*.yaml
	@dotnet build tests --configuration Release $(QUIET)
	@UPDATE_GOLDEN=1 tests/bin/Release/net10.0/kruise-image-tests -noColor -class '*ChartTests' -class '*InstallDocsTests' >/dev/null || true
	@tests/bin/Release/net10.0/kruise-image-tests -noColor -class '*ChartTests' -class '*InstallDocsTests'

fmt: ## format the code
	@for project in $(PROJECTS); do dotnet format $$project; done

demo: parts build bed ## the manual's job on a whole cluster; CI=1 or `make demo ONCE=1` tears it down at the end
	@e2e/sandbox.sh $(BED) demo $(if $(CI)$(ONCE),--once)

demo-up: parts $(if $(BARE),,build) bed ## a cluster that stays; BARE=1 leaves the controller and the daemons to you
	@e2e/demo-up.sh "$(DEMO_DIR)" $(BED) up $(if $(BARE),--bare)

demo-down: ## ends the cluster of demo-up
	@e2e/demo-down.sh "$(DEMO_DIR)"

kind-up: ## where Docker and kind are: a cluster with the product on it, built from these sources; needs no .NET
	@e2e/kind.sh up

kind-demo: ## one job on that cluster, and what became of it; IMAGE=name chooses what is pulled
	@e2e/kind.sh demo

kind-down: ## ends that cluster
	@e2e/kind.sh down

clean: ## what was built; the installed parts stay
	rm -rf artifacts bin obj tests/bin tests/obj tests/sim/bin tests/sim/obj tests/micro/bin tests/micro/obj e2e/*/bin e2e/*/obj

parts:
	@e2e/install-parts.sh bed

scenario-parts:
	@e2e/install-parts.sh scenarios

bed:
	@dotnet build e2e/bed --configuration Release $(QUIET)

.PHONY: help build test unit e2e e2e-faults sim sim-mutants conformance fuzz micro bench soak recording release release-check kill-test check manifests fmt demo demo-up demo-down kind-up kind-demo kind-down clean parts scenario-parts bed
