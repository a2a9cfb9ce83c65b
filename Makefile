.DEFAULT_GOAL := help
GO ?= go
TOOL := $(GO) tool -modfile=tools.mod
# Packages with golden files; schema and docs both write README.md, so one at a time.
GOLDEN := ./cmd/clusterctl ./engine ./engine/render ./engine/topology ./schema ./schema/policy ./docs
CLOUDS := huawei qingcloud aliyun
PROVIDERS := $(foreach c,$(CLOUDS),./plugins/$(c)/cluster-provider-$(c))

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## clusterctl, cloudsim and the three plugins into bin/
	$(GO) build -o bin/ ./cmd/... $(PROVIDERS)

demo: build ## validate, plan, apply and plan again over specs/ against simulated clouds
	./specs/demo.sh

test: ## every test
	$(GO) test ./...

race: ## every test under the race detector
	$(GO) test -race ./...

test-browser: ## the HTML pages and pictures in Chromium; screenshots into bin/browser/
	$(GO) vet -tags browser ./engine/render/browsertest
	$(GO) test -count=1 -tags browser ./engine/render/browsertest

conformance: ## the provider contract, in process and over RPC
	$(GO) test -run Conformance -v ./plugins/...

lint: ## formatting, vet, staticcheck, tidy modules
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run make fmt" >&2; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

fmt: ## format Go and CUE
	gofmt -w .
	$(TOOL) cue fmt ./schema/huawei ./schema/qingcloud ./schema/aliyun ./specs/...

vet-specs: build ## the stock cue accepts schemas and specs, and refuses what a schema can see
	./specs/vet.sh

cross: ## everything builds for the other systems
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	GOOS=windows $(GO) vet ./...

generate: ## the protocol's Go code
	mkdir -p bin/tools
	$(GO) build -modfile=tools.mod -o bin/tools/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
	PATH="$(CURDIR)/bin/tools:$$PATH" $(GO) generate ./...

golden: ## rewrite every golden file; review the diff like code
	$(GO) test -count=1 -p 1 $(GOLDEN) -update

bench: ## load, diff, plan, guard, draw and observe at 10 to 10,000 clusters, long histories, and whole plans as processes
	$(GO) test -run '^$$' -bench . -benchtime 3x -benchmem ./schema ./schema/policy ./engine ./engine/journal ./engine/topology ./plugins/provider/rpc ./cmd/clusterctl

SEEDS ?= 100000
RUNS ?= 1200
FIGURES := $(CURDIR)/bin/reliability
PROOF := mkdir -p $(FIGURES) && $(GO) test -count=1 -timeout 0

sim: ## the engine and a naive one under a fake clock, network, disk and cloud: SEEDS=100000 runs
	$(PROOF) -v -run '^TestSimulation$$' ./engine/simulation -seeds $(SEEDS) -report $(FIGURES)/simulation.json
	$(PROOF) -v -run '^TestNaive$$' ./engine/simulation -seeds $(SEEDS) -report $(FIGURES)/naive.json

chaos: ## real processes, killed at named points and run again: RUNS=1200
	$(PROOF) -v -run '^TestChaos$$' ./cmd/clusterctl -chaos $(RUNS) -report $(FIGURES)/chaos.json

teeth: ## one planted bug at a time, and what catches it
	$(PROOF) -v -run '^TestTeeth$$' ./engine/simulation -report $(FIGURES)/wrapped.json
	$(PROOF) -v -run '^TestTeeth$$' ./engine/teeth -plant -report $(FIGURES)/teeth.json

disk: ## damaged files, failing operations, power cuts: the store, and whole applies on it
	$(PROOF) ./engine/journal -report $(FIGURES)/store.json
	$(PROOF) -run '^TestNoSendWithoutADurableIntent$$' ./engine -all-faults -report $(FIGURES)/disk.json

atonce: ## 2, 4 and 8 applies at once on one store
	$(PROOF) -v -run '^TestAtOnce$$' ./cmd/clusterctl -atonce 42 -report $(FIGURES)/atonce.json

reliability: sim disk teeth atonce chaos ## all of these, and the tables in docs/reliability.md and README.md
	$(GO) test -count=1 -run Reliability ./docs -figures $(FIGURES) -update

cover: ## coverage by package
	$(GO) test -coverprofile cover.out ./...
	$(GO) tool cover -func cover.out | tail -1

clean: ## what the other targets made
	rm -rf bin cover.out

check: ## exactly what CI runs
	.ci/run

.PHONY: help build demo test race test-browser conformance lint fmt vet-specs cross generate golden bench sim chaos teeth disk atonce reliability cover clean check
