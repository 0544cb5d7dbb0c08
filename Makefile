# durable-lambda. `make` lists what there is.
SHELL := bash
SEEDS ?= 4000
ARGS  ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve the order demonstration: http://127.0.0.1:8080/
	@go run ./cmd/durable dev $(ARGS)

test: check ## every tier, and a table of what ran
	@go run ./tests/tiers -seeds $(SEEDS)

test-unit: ## the unit tier: under a minute
	@go run ./tests/tiers -only unit

sim: ## the simulation: SEEDS=n seeds
	@go run ./tests/tiers -only sim -seeds $(SEEDS)

chaos: ## kill the server under load
	@go run ./tests/tiers -only chaos

check: ## formatting and vet
	@test -z "$$(gofmt -l cmd durable examples internal tests)" || { gofmt -l cmd durable examples internal tests; echo 'run gofmt -w on these'; exit 1; }
	@go vet ./...

race: ## the unit and backend tiers under the race detector (needs a C compiler)
	@go test -race ./durable/... ./internal/... ./examples/... ./cmd/...

bench: ## replay, codec and store
	@go test -run '^$$' -bench . -benchmem ./internal/replay ./durable ./durable/history ./durable/backend/... ./cmd/durable

fuzz: ## every fuzz target for 20 seconds
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do go test -run '^$$' -fuzz "^$$f$$" -fuzztime 20s $$p || exit 1; done; done

localstack-up: ## start LocalStack on 127.0.0.1:4566, with Docker or without
	@localstack/up

localstack-down: ## stop it
	@localstack/down

test-aws: ## the AWS adapters and SES in LocalStack, which it starts when it is not up
	@go run ./tests/tiers -only aws

clean: ## remove what was built
	@rm -rf bin .cache

.PHONY: help run test test-unit sim chaos check race bench fuzz localstack-up localstack-down test-aws clean
.DEFAULT_GOAL := help
