.DEFAULT_GOAL := help
GO ?= go
TOOL := $(GO) tool -modfile=tools.mod
# Packages with golden files; schema and docs both write README.md, so one at a time.
GOLDEN := ./cmd/clusterctl ./engine ./schema ./docs
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

bench: ## load, diff, plan and observe at 10 to 10,000 clusters, and whole plans as processes
	$(GO) test -run '^$$' -bench . -benchtime 3x -benchmem ./schema ./engine ./plugins/provider/rpc ./cmd/clusterctl

SEEDS ?= 100000
sim: ## the engine under a fake clock, network, disk and cloud: SEEDS=100000 runs
	$(GO) test -count=1 -timeout 0 -v -run 'TestSimulation|TestNaive' ./engine/simulation -seeds $(SEEDS)

cover: ## coverage by package
	$(GO) test -coverprofile cover.out ./...
	$(GO) tool cover -func cover.out | tail -1

clean: ## what the other targets made
	rm -rf bin cover.out

check: ## exactly what CI runs
	.ci/run

.PHONY: help build demo test race conformance lint fmt vet-specs cross generate golden bench sim cover clean check
