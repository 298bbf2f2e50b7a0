# Copyright The Wirespan Authors
# SPDX-License-Identifier: Apache-2.0

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CONFIG    ?= distributions/wirespan/config.yaml
FUZZTIME  ?= 20s
BENCHTIME ?= 1s

# One compiler version, so that everybody generates the same bytes (read by bpf2go).
export BPF2GO_CC ?= clang-14

# A kernel lets only root load eBPF programs.
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo -E env PATH=$(PATH))
TOOL := go tool -modfile=internal/tools/go.mod

# What the binary is made of: all Go files but tests, and the generated eBPF objects.
SOURCES := builder-config.yaml go.mod go.sum internal/tools/go.mod $(shell find bpf exporter internal processor receiver \
	\( -name '*.go' -o -name '*.o' \) -not -name '*_test.go' 2>/dev/null)

# Tests that use the one kernel and the one network of this machine. They must
# not disturb each other, so they run as root, one package at a time.
LIVE_PACKAGES := /wirespan/(bpf|receiver/networkreceiver/capture/(ebpf|probe)|internal/testkit|test/e2e)
TESTED := go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...
UNIT    = $(shell $(TESTED) | grep -vE '$(LIVE_PACKAGES)')
LIVE    = $(shell $(TESTED) | grep -E '$(LIVE_PACKAGES)')

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Show every call of this machine (root), and send it to OTEL_EXPORTER_OTLP_ENDPOINT if that is set
	@$(SUDO) bin/wirespan --config $(CONFIG) $(if $(OTEL_EXPORTER_OTLP_ENDPOINT),--config distributions/wirespan/config-otlp.yaml)

.PHONY: build
build: bin/wirespan ## Build the distribution into bin/wirespan (needs Go only)

bin/wirespan: $(SOURCES)
	@echo 'build $@ (some minutes when the Go build cache is empty)'
	@mkdir -p bin build
	@$(TOOL) builder --config builder-config.yaml
	@cp build/wirespan/wirespan $@

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin build

##@ Test

.PHONY: test
test: deps vet lint check-generated test-unit test-live ## Install what tests need and run everything

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

.PHONY: test-live
test-live: build ## Run the tests that load eBPF and capture real traffic (root)
	WIRESPAN_BIN=$(CURDIR)/bin/wirespan \
	go test -race -count=1 -p 1 -timeout 20m $(if $(SUDO),-exec '$(SUDO)') $(LIVE)

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

.PHONY: fuzz
fuzz: ## Run each fuzz test for a while (FUZZTIME=20s)
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' bpf exporter internal processor receiver | LC_ALL=C sort | \
	while IFS=: read -r file name; do \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")"; \
	done

##@ Change

.PHONY: fmt
fmt: ## Format the Go files
	$(TOOL) golangci-lint fmt

.PHONY: generate
generate: ## Generate the eBPF objects and their Go bindings (needs clang)
	go generate ./...

.PHONY: golden
golden: ## Write the expected results of golden tests anew (look at the difference before you commit it)
	go test -count=1 -run Golden $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"|/dissecttest"' exporter receiver | xargs dirname | sort -u | sed 's|^|./|') -update || true
