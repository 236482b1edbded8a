# tokenvend. `make` prints what there is.
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help run build test race check vuln cross fuzz clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## vend the tokens of five simulated providers on 127.0.0.1:3000
	@$(GO) run ./cmd/tokenvend serve --demo

build: ## build the operator's program into bin/
	$(GO) build -trimpath -o bin/tokenvend ./cmd/tokenvend

test: ## run all tests
	$(GO) test ./...

race: ## run all tests under the race detector
	$(GO) test -race ./...

check: ## formatting, vet, staticcheck, tidy go.mod
	@unformatted=$$(gofmt -l cmd pkg); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

vuln: ## look our dependencies up in Go's vulnerability database
	$(GO) tool govulncheck ./...

cross: ## build everything for the Lambda platform, linux/arm64
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -o /dev/null ./...

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' cmd pkg); do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' $$target); do \
			$(GO) test ./$$(dirname $$target) -run '^$$' -fuzz "^$$name$$" -fuzztime $${FUZZTIME:-10s} || exit 1; \
		done; \
	done

clean: ## remove what was built; the data of `make run` stays
	rm -rf bin .cache
