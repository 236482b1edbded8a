# tokenvend. `make` prints what there is.
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help run build man test test-all needs template reference stress race bare check scan vuln functions layer package release reproducible coverage-providers soak model torture bench fuzz clean build-VendFunction build-RotateFunction

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# With job control, Ctrl-C in a terminal ends the server alone, and make sees that it has ended well.
run: ## vend the tokens of five simulated providers on 127.0.0.1:3000
	@echo "Compiling what has changed; the first time, about 300 packages in a minute."
	@$(GO) build -v -o bin/tokenvend ./cmd/tokenvend
	@if [ -t 0 ]; then set -m; fi; bin/tokenvend serve --demo

# VERSION stamps the program and the functions; without it, their version is what Go knows of the module.
STAMP = $(if $(VERSION), -X main.version=$(VERSION))

build: ## build the operator's program into bin/, stamped with VERSION where it is set
	$(GO) build -trimpath -ldflags "$(STAMP)" -o bin/tokenvend ./cmd/tokenvend

man: build ## write the manual pages of the operator's program into bin/man/man1/
	@bin/tokenvend man bin/man/man1
	@echo "man -M bin/man tokenvend shows them."

# Many tests wait for the time to pass or for a process, so four packages at once are faster even on two processors.
PACKAGES_AT_ONCE = $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -gt 4 ]; then echo $$n; else echo 4; fi)

test: ## run the tests that need nothing but Go, in 3 minutes
	@$(GO) test -p $(PACKAGES_AT_ONCE) -timeout 20m ./...
	@echo "Passed. make test-all adds: DynamoDB by dynalite and DynamoDB Local; Secrets Manager, KMS, IAM and Lambda by moto;"
	@echo "consent in Chromium; tokens of Keycloak and five other OAuth servers; cfn-lint, cdk-nag and cfn-guard on the template; 1,000 random schedules."

# The build tag testall takes in what needs more than Go. A test of that kind does not compile without it, so none is skipped.
test-all: needs ## run all tests, with real emulators, servers and a browser
	$(GO) test -tags testall -timeout 30m ./...

needs: ## show what make test-all needs, and offer to install what is missing
	@$(GO) run ./internal/needs

template: ## write anew what tests know of template.yaml, and docs/reference/openapi.yaml
	$(GO) test -tags testall ./internal/testbed -count=1 -run 'TestGoldenTemplate$$|TestUpgradeFile$$' -args -update
	$(GO) test -tags testall ./functions -count=1 -run 'TestDocumentIsWrittenOut' -args -update

reference: ## write docs/reference/cli.md, the tables of docs/reference/descriptor.md and docs/providers anew
	$(GO) test ./cmd/tokenvend/internal/cli -count=1 -run 'TestReferenceIsTheHelp' -args -update
	$(GO) run ./internal/schema
	$(GO) run ./internal/providers

# What runs in goroutines: the packages of the product, and the tests that run many of its processes in one. The tests of functions, of the programs
# and of what documents say drive processes; make test-all builds one of those with the race detector.
# With -short, simulations and property tests try fewer cases: all of a kind run the same code.
race: ## run the tests under the race detector
	$(GO) test -race -short -timeout 20m ./pkg/... ./cmd/tokenvend/internal/report ./cmd/tokenvend/internal/terminal ./internal/simulation ./internal/standin/... ./internal/testbed ./internal/testworld

bare: ## do what the README and the tutorial say with nothing but Go, git, make, curl and a shell
	internal/bare/run.sh

# Under load: as many processes that only compute as there are processors. Packages whose tests take under a second run 200 times, the others 10 times.
stress: ## run tests again and again under load: PACKAGES (all), MINUTES (60) at most
	@$(GO) run ./internal/stress -minutes $${MINUTES:-60} $${PACKAGES:-./...}

check: ## formatting, style, vet, staticcheck, further analyzers, tidy go.mod
	@unformatted=$$(gofmt -l clients cmd examples functions pkg internal .ci); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) run ./internal/style
	$(GO) vet ./...
	$(GO) vet -tags testall ./...
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags testall ./...
	cd .ci/lint && $(GO) build -o ../../bin/lint .
	bin/lint -test=false ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

# Of internal only tests and make import anything: they run other programs and write their files, which is what gosec warns of.
scan: ## gosec on the code, cfn-lint, cdk-nag and cfn-guard on the template
	cd .ci/gosec && $(GO) build -o ../../bin/gosec .
	bin/gosec -test=false $$($(GO) list ./... | grep -v tokenvend/internal/)
	$(GO) test -tags testall ./functions -count=1 -run 'TestTemplateIsClean|TestTemplateKeepsTheRules' -v

vuln: ## look our dependencies up in Go's vulnerability database
	$(GO) tool govulncheck ./...

# No program of ours speaks HTTP/2 or lambda-go's RPC of old, and every arm64 processor of Lambda's has atomic instructions (lse): without what would do without them, a function is smaller.
LAMBDA_ARCH ?= arm64
LAMBDA = CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_ARCH) GOARM64=v8.0,lse $(GO) build -tags lambda.norpc,nethttpomithttp2 -trimpath -buildvcs=false -ldflags "-s -w$(STAMP)"

functions: ## build both functions for Lambda (linux/arm64) into bin/, stamped with VERSION where it is set
	$(LAMBDA) -o bin/vend/bootstrap ./functions/vend
	$(LAMBDA) -o bin/rotate/bootstrap ./functions/rotate
	@ls -l bin/vend/bootstrap bin/rotate/bootstrap

# The extension of Lambda functions, in a layer for each architecture.
EXTENSION = CGO_ENABLED=0 GOOS=linux $(GO) build -tags nethttpomithttp2 -trimpath -buildvcs=false -ldflags "-s -w"

layer: ## write the layers with the Lambda extension into bin/, for arm64 and x86_64
	GOARCH=arm64 GOARM64=v8.0,lse $(EXTENSION) -o bin/layer/arm64/tokenvend-extension ./cmd/tokenvend-extension
	GOARCH=amd64 $(EXTENSION) -o bin/layer/x86_64/tokenvend-extension ./cmd/tokenvend-extension
	@for arch in arm64 x86_64; do \
		$(GO) run ./internal/layer bin/layer/$$arch/tokenvend-extension bin/tokenvend-extension-$$arch.zip || exit 1; \
	done
	@ls -l bin/tokenvend-extension-*.zip

package: functions ## write dist: a plain CloudFormation template and the zips of both functions
	@$(GO) run ./internal/pack bin dist
	@ls -l dist

release: package layer ## write dist: programs for every system, functions, layers, an image, checksums; VERSION, else what git describes
	@cp bin/tokenvend-extension-*.zip dist/
	@$(GO) run ./internal/release -version "$(VERSION)" dist
	@ls -l dist

reproducible: ## build both functions and the extension in two other folders, the second time from nothing, and compare
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && mkdir -p "$$dir/one" "$$dir/two/deeper" && \
	for at in one two/deeper; do \
		cp -r go.mod go.sum cmd functions pkg "$$dir/$$at" || exit 1; \
		for name in vend rotate; do (cd "$$dir/$$at" && $(LAMBDA) -o $$name ./functions/$$name) || exit 1; done; \
		(cd "$$dir/$$at" && GOARCH=arm64 GOARM64=v8.0,lse $(EXTENSION) -o extension ./cmd/tokenvend-extension) || exit 1; \
		export GOCACHE="$$dir/cache"; \
	done; \
	for name in vend rotate extension; do \
		cmp "$$dir/one/$$name" "$$dir/two/deeper/$$name" || exit 1; \
		echo "$$name: twice the same, sha256 $$(sha256sum <"$$dir/one/$$name" | cut -d' ' -f1)"; \
	done

# `sam build` calls these two.
build-VendFunction:
	$(LAMBDA) -o $(ARTIFACTS_DIR)/bootstrap ./functions/vend

build-RotateFunction:
	$(LAMBDA) -o $(ARTIFACTS_DIR)/bootstrap ./functions/rotate

soak: ## run SCHEDULES (200000) random schedules from SEED (1) on, and a day of 100,000 credentials, in simulated time
	$(GO) test ./internal/simulation -timeout 0 -args -schedules $${SCHEDULES:-200000} -seed $${SEED:-1} -aloud -credentials 100000 -hours 24
	$(GO) test ./functions -run TestFourWorkersRenewEachOnce -timeout 0 -args -due 10000
	$(GO) test ./pkg/mint -run TestAttack05_NoHostGetsWhatBelongsToAnotherDestination -timeout 0 -args -cases 10000

coverage-providers: ## try what the descriptor language can say on the token requests of a hundred vendors, and write docs/providers/coverage.md
	@$(GO) run ./internal/coverage

# spin's program needs 1.5 GB.
model: ## check a model of leases, commits and single-use refresh tokens with spin: PROCESSES (3), CRASHES (2)
	@$(GO) run ./internal/model -processes $${PROCESSES:-3} -crashes $${CRASHES:-2}

torture: ## put faulty token endpoints before tokenvend and seven OAuth libraries, and write docs/explanation/torture.md
	@$(GO) test -tags testall ./internal/torture -count=1 -parallel 4 -args -write
	@cat docs/explanation/torture.md

# The hot path by itself is compared with the last run that was recorded, which this one then replaces; all else with baselines of the same run.
# VAULT_ADDR, VAULT_TOKEN and VAULT_PATH in the environment name an OpenBao or a Vault to measure serve beside.
HOT = ./pkg/vend ./pkg/local/gateway ./pkg/provider ./pkg/seal/kms
RECORDED = internal/bench/testdata/hot.txt

bench: ## measure beside baselines, in 10 minutes on a quiet machine, and write docs/explanation/performance.md
	@mkdir -p .cache
	$(GO) test -p 1 $(HOT) -run '^$$' -bench . -skip HostileAnswer -benchtime 0.2s -count 6 > .cache/hot.txt
	@$(GO) tool benchstat -ignore cpu last=$(RECORDED) now=.cache/hot.txt > .cache/hot-compared.txt
	$(GO) test -tags testall ./internal/bench -run '^$$' -bench Page -benchtime 1x -timeout 30m -args -page ../../docs/explanation/performance.md -hot ../../.cache/hot-compared.txt
	@cp .cache/hot.txt $(RECORDED)

fuzz: ## run each fuzz target for FUZZTIME (10s, or a number of executions: 1000000x)
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' cmd functions pkg internal); do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' $$target); do \
			echo "== $$name in $$(dirname $$target)"; \
			$(GO) test ./$$(dirname $$target) -run '^$$' -fuzz "^$$name$$" -fuzztime $${FUZZTIME:-10s} -fuzzminimizetime 10x || exit 1; \
		done; \
	done

clean: ## remove what was built; the data of `make run` stays
	rm -rf bin dist .cache
