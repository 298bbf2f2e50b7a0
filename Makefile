# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CONFIG    ?= distributions/wirespan/config.yaml
PCAP      ?= examples/shop.pcap
FUZZTIME  ?= 20s
FUZZPARALLEL ?= 1
FUZZJOBS  ?= 1
BENCHTIME ?= 1s

# One compiler version, so that everybody generates the same bytes (read by bpf2go).
export BPF2GO_CC ?= clang-14

# A kernel lets only root load eBPF programs.
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo -E env PATH=$(PATH))
TOOL := go tool -modfile=internal/tools/go.mod

# What the binary is made of: all Go files but tests, and the generated eBPF objects.
SOURCES := internal/tools/build-distribution go.mod go.sum internal/tools/go.mod $(shell find bpf exporter extension internal processor receiver \
	\( -name '*.go' -o -name '*.o' \) -not -name '*_test.go' 2>/dev/null)

# Tests that use the one kernel and the one network of this machine. They must
# not disturb each other, so they run as root, one package at a time.
LIVE_PACKAGES := /wirespan/(bpf|receiver/networkreceiver/capture/(ebpf|probe)|internal/testkit|test/(completeness|docs|e2e|nodes|soak|stress))
TESTED := go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | grep -vE '/wirespan/test/(k8s|release)$$'
UNIT    = $(shell $(TESTED) | grep -vE '$(LIVE_PACKAGES)')
LIVE    = $(shell $(TESTED) | grep -E '$(LIVE_PACKAGES)')

# Programs that speak TLS, which .ci/tls-software gets.
TLS_SOFTWARE := $(CURDIR)/build/tls-software

# The test with a cluster is run by e2e-k8s only: Kubernetes takes minutes to build.
KUBERNETES := build/k8s/kubernetes
KUBERNETES_VERSION := v1.34.4

# Attacks on the receiver's memory, which are in full size without the race detector only.
ATTACKS := 'TestMemoryUnderAttack|TestStuckConsumer|TestFairness'

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# bin/wirespan is one of these: the lean one until there is the full one.
BIN  := bin/wirespan
FULL := build/full/wirespan
LEAN := build/lean/wirespan

.PHONY: run
run: $(if $(wildcard $(FULL)),build,lean) ## Show every call of this machine (root), and send it to OTEL_EXPORTER_OTLP_ENDPOINT if that is set
	@$(SUDO) env GOGC=$${GOGC:-400} GOMEMLIMIT=$${GOMEMLIMIT:-768MiB} $(BIN) --config $(CONFIG) $(if $(OTEL_EXPORTER_OTLP_ENDPOINT),--config distributions/wirespan/config-otlp.yaml)

.PHONY: replay
replay: $(if $(wildcard $(FULL)),build,lean) ## Show the calls in capture files (PCAP=examples/shop.pcap); needs no privileges
	@WIRESPAN_PCAP='$(PCAP)' $(BIN) --config distributions/wirespan/config-replay.yaml

.PHONY: lean
lean: $(LEAN) ## Build bin/wirespan with the components of a first look only, in two fifths of the time
	@$(call install,$(LEAN))

.PHONY: build
build: $(FULL) ## Build the distribution into bin/wirespan (needs Go only)
	@$(call install,$(FULL))

install = mkdir -p $(dir $(BIN)) && { cmp -s $(1) $(BIN) || install $(1) $(BIN); }

$(FULL): builder-config.yaml $(SOURCES)
	@internal/tools/build-distribution $< $@

$(LEAN): builder-lean.yaml $(SOURCES)
	@internal/tools/build-distribution $< $@

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin build

##@ Test

.PHONY: test
test: deps vet lint check-generated test-unit test-live e2e-k8s ## Install what tests need and run everything

.PHONY: deps
deps: ## Install the Debian packages that tests and code generation need
	@.ci/deps

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: ## Run the linters and check the formatting
	$(TOOL) golangci-lint run

.PHONY: test-unit
test-unit: build ## Run the tests that need no privileges, with the race detector
	go test -race -timeout 15m $(UNIT)
	go test -timeout 10m -run $(ATTACKS) ./receiver/networkreceiver

.PHONY: test-processors
test-processors: ## Run the distribution's processors on records as the receiver builds them, with the race detector
	cd test/processors && go test -race ./...

.PHONY: test-live
test-live: build $(LEAN) tls-software ## Run the tests that load eBPF and capture real traffic (root)
	TLS_SOFTWARE=$(TLS_SOFTWARE) WIRESPAN_BIN=$(CURDIR)/bin/wirespan \
	go test -race -count=1 -p 1 -timeout 20m $(if $(SUDO),-exec '$(SUDO)') $(LIVE)

.PHONY: e2e-k8s
e2e-k8s: build kubernetes ## Run the agent in a real Kubernetes cluster of one node, which is started for that (root; RUN=Reuse KEEP=1)
	WIRESPAN_BIN=$(CURDIR)/bin/wirespan go test -count=1 -timeout $(if $(KEEP),0,15m) $(if $(SUDO),-exec '$(SUDO)') -v ./test/k8s \
		$(if $(RUN),-run 'TestKubernetes/($(RUN))') -args $(if $(KEEP),-keep)

.PHONY: kubernetes
kubernetes: $(KUBERNETES) ## Build Kubernetes from its sources, all components in one program (some minutes)

$(KUBERNETES): $(wildcard test/k8s/kubernetes/*)
	@echo 'build $@ (some minutes when the Go build cache is empty)'
	@mkdir -p $(@D)
	@cd test/k8s/kubernetes && CGO_ENABLED=0 go build -trimpath -o $(CURDIR)/$@ \
		-ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$(KUBERNETES_VERSION)" .

.PHONY: tls-software
tls-software: ## Get and build programs that speak TLS and are in no package (npm and Go's module proxy)
	@.ci/tls-software $(TLS_SOFTWARE) boringssl node16 node24 go1.16.15 go1.21.13 rustls

.PHONY: test-tls-closed
test-tls-closed: build ## Look at programs whose TLS library does not tell where its functions are (root; downloads 80 MB)
	@.ci/tls-software $(TLS_SOFTWARE) bun deno
	TLS_SOFTWARE=$(TLS_SOFTWARE) WIRESPAN_BIN=$(CURDIR)/bin/wirespan \
	go test -tags tlssoftware -count=1 -timeout 10m -v -run TestTLSSoftwareThatIsClosed $(if $(SUDO),-exec '$(SUDO)') ./test/e2e

.PHONY: tls-table
tls-table: build tls-software ## Write the tables of docs/tls.md anew from the tests (root)
	TLS_SOFTWARE=$(TLS_SOFTWARE) WIRESPAN_BIN=$(CURDIR)/bin/wirespan go test -count=1 -timeout 10m \
		-run 'TestTLS(Programs|Ways|StaticWays|Software|PostgreSQL)$$' $(if $(SUDO),-exec '$(SUDO)') ./test/e2e -update-tls

.PHONY: stress
stress: build ## Attack the receiver's memory, in full size and with real traffic (root)
	go test -count=1 -timeout 20m -run $(ATTACKS) -v ./receiver/networkreceiver
	STRESS=1 WIRESPAN_BIN=$(CURDIR)/bin/wirespan \
	go test -count=1 -timeout 20m -v $(if $(SUDO),-exec '$(SUDO)') ./test/stress

.PHONY: soak
soak: build ## Look for what grows under steady load and process churn (root; DURATION=30m RATE=1000 CHURN=30)
	WIRESPAN_BIN=$(CURDIR)/bin/wirespan go test -count=1 -timeout 0 -v $(if $(SUDO),-exec '$(SUDO)') ./test/soak \
		-duration $(or $(DURATION),30m) -rate $(or $(RATE),1000) -churn $(or $(CHURN),30) -samples $(CURDIR)/build/soak.csv

.PHONY: test-kernel
test-kernel: build ## Run the smoke test on the running kernel and, emulated, on Debian's (KERNELS="running 6.1 6.12"; needs qemu-system-x86)
	@mkdir -p build/kernel
	@go build -o build/kernel/test-kernel ./test/kernel
	@build/kernel/test-kernel $(KERNELS)

.PHONY: verifier-cost
verifier-cost: ## Print what the eBPF programs cost beside what is committed (root; UPDATE=1 writes bpf/cost.txt)
	@mkdir -p build
	@go build -o build/verifier-cost ./bpf/cost
	@$(SUDO) build/verifier-cost $(if $(UPDATE),-update)

.PHONY: check-generated
check-generated: ## Generate the eBPF files once more, elsewhere, and fail if they differ from those in the repository
	@rm -rf build/bpf && mkdir -p build && cp -r bpf build/bpf
	@find build/bpf -name '*_bpfel.*' -delete
	@trap 'rm -rf build/bpf' EXIT; \
	go generate ./build/bpf/...; \
	diff -rq bpf build/bpf || { echo 'generated eBPF files are out of date: run make generate and commit them'; exit 1; }

.PHONY: bench
bench: ## Run the benchmarks (BENCHTIME=1s)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(UNIT)

.PHONY: bench-length
bench-length: ## Measure whether a call costs more in a long run than in a short one (CALLS=10000000)
	go test -run '^$$' -bench BenchmarkLength -benchtime 1x -timeout 3h ./test/bench -calls $(or $(CALLS),10000000)

.PHONY: bench-live
bench-live: ## Measure live capture beside nginx and wrk, with its comparison (root; ROUNDS=7 DURATION=3s ONLY=ABSLFGNDE PARTS=saturation,kernel,latency,bulk,tls)
	@mkdir -p build
	@CGO_ENABLED=0 go build -o build/bench-live ./test/bench/live
	@$(SUDO) build/bench-live $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(DURATION),-duration $(DURATION)) \
		$(if $(ONLY),-only $(ONLY)) $(if $(PARTS),-parts $(PARTS)) $(if $(PROFILE),-profile $(PROFILE))

.PHONY: fuzz
fuzz: ## Run each fuzz test for a while and print a table (FUZZTIME=20s, FUZZPARALLEL=1 workers, FUZZJOBS=1 tests at a time, FUZZ='conn pair.FuzzPairer')
	@mkdir -p build
	@go build -o build/fuzz-run ./test/fuzz
	@build/fuzz-run -time $(FUZZTIME) -parallel $(FUZZPARALLEL) -jobs $(FUZZJOBS) $(FUZZ)

##@ Release

.PHONY: release
release: ## Pack archives, deb, rpm, SBOM, image and checksums into build/release (ARCHS="amd64 arm64")
	@internal/tools/release/release $(ARCHS)

.PHONY: test-release
test-release: release ## Try what is in build/release: install, run, import (root)
	go test -count=1 -v $(if $(SUDO),-exec '$(SUDO)') ./test/release

##@ Change

.PHONY: protocol
protocol: ## Write the folder of a new protocol, whose tests fail until it is filled (NAME=x)
	@go run ./internal/skeleton $(NAME) receiver/networkreceiver/dissect

.PHONY: fmt
fmt: ## Format the Go files
	$(TOOL) golangci-lint fmt

.PHONY: generate
generate: ## Generate the eBPF objects and their Go bindings (needs clang)
	go generate ./...

.PHONY: manifests
manifests: ## Render the examples and manifests in deploy/ from the chart anew
	go test -count=1 -run GoldenManifests ./test/deploy -update

.PHONY: golden
golden: ## Write the expected results of golden tests anew (look at the difference before you commit it)
	go test -count=1 -run Golden $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"|/dissecttest"' exporter receiver test/deploy | xargs dirname | sort -u | sed 's|^|./|') -update || true
