# durable-lambda. `make` lists what there is.
SHELL := bash
SEEDS ?= 20000
ARGS  ?=
CODE  := bench cmd durable examples internal lambdas localstack/deploy tests

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve the order demonstration: http://127.0.0.1:8080/
	@go run ./cmd/durable dev $(ARGS)

test: check ## every tier, and a table of what ran
	@go run ./tests/tiers -seeds $(SEEDS)

test-unit:     ## the unit tier: under a minute
sim-mutations: ## leave out each rule of the protocol once: the simulation must notice
conformance:   ## what orchestrations can rely on: each sentence, backend and mode, in a table
chaos:         ## kill the server under load
test-clients:  ## Azure's clients for Python and Node against a server, with the programs of docs/http-api.md
test-aws:      ## the AWS adapters in LocalStack, which it starts when it is not up
test-e2e:      ## the deployed template in LocalStack, end to end
test-unit sim-mutations conformance chaos test-clients test-aws test-e2e: # the tier is the last word of each
	@go run ./tests/tiers -only $(lastword $(subst -, ,$@))

sim: ## the simulation: SEEDS=n seeds
	@go run ./tests/tiers -only sim -seeds $(SEEDS)

check: ## formatting and vet
	@test -z "$$(gofmt -l $(CODE))" || { gofmt -l $(CODE); echo 'run gofmt -w on these'; exit 1; }
	@go vet ./... && go vet -tags 'aws e2e template clients' ./cmd/durable ./durable/backend/aws ./durable/mail/ses ./tests/...

race: ## the unit and backend tiers under the race detector (needs a C compiler)
	@go test -race ./durable/... ./internal/... ./examples/... ./cmd/...

cost: ## what the reference workload costs on AWS, beside others
	@mkdir -p build && go test -count=1 -run TestCost ./durable/awslambda -args -cost >build/cost.log || { cat build/cost.log; exit 1; }
	@cat build/cost.md

bench: ## measure replay, store, server, functions and peers: docs/performance.md has the table. About five minutes
	@mkdir -p build
	@go test -p 1 -run '^$$' -bench . -benchmem -timeout 60m ./durable ./durable/history ./durable/backend/... ./durable/awslambda ./durable/dev ./cmd/durable ./tests/cold >build/bench.txt || { cat build/bench.txt; exit 1; }
	@cd bench && go test -run '^$$' -bench . -timeout 60m . >>../build/bench.txt || { cat ../build/bench.txt; exit 1; }
	@cd bench && go run ./report -json ../build/bench.json ../build/bench.txt

bench-check: ## what a replay allocates, against bench/baseline.txt, and that its cost grows with the history no faster than it does
	@mkdir -p build
	@go test -run '^$$' -bench 'Replay|FanOut|Switch|Tail' -benchmem -benchtime 200ms -count 3 ./durable ./durable/history >build/bench-check.txt || { cat build/bench-check.txt; exit 1; }
	@cd bench && go run ./report -check baseline.txt $(ARGS) ../build/bench-check.txt

fuzz: ## every fuzz target for 20 seconds
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do go test -run '^$$' -fuzz "^$$f$$" -fuzztime 20s $$p || exit 1; done; done

api: ## write docs/api.txt and docs/limits.md: what users can call, and how much fits
	@go test ./tests/arch -run 'TestAPI|TestLimits' -update

localstack-up: ## start LocalStack on 127.0.0.1:4566, with Docker or without
	@localstack/up

deploy-local: ## deploy the template to that LocalStack, and print its outputs
	@. localstack/env && go run ./localstack/deploy $(ARGS)

localstack-down: ## stop it
	@localstack/down

smoke-aws: ## try a deployment on AWS itself: costs cents, and cleans up
	@go run ./tests/smoke $(ARGS)

clean: ## remove what was built
	@rm -rf bin .cache .aws-sam
.PHONY: help run test test-unit sim sim-mutations conformance chaos test-clients check race bench bench-check cost fuzz api localstack-up deploy-local localstack-down test-aws test-e2e smoke-aws clean
.DEFAULT_GOAL := help
