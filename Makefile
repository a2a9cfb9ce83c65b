.DEFAULT_GOAL := help
GO ?= go
TOOL := $(GO) tool -modfile=tools.mod
PLUGINS := huawei qingcloud aliyun

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## clusterctl, cloudsim and the three plugins into bin/
	$(GO) build -o bin/ ./cmd/... $(foreach p,$(PLUGINS),./plugins/$(p)/cluster-provider-$(p))

demo: build ## validate, plan, apply and plan again over specs/ against simulated clouds
	./specs/demo.sh

test: ## every test
	$(GO) test ./...

.PHONY: help build demo test
