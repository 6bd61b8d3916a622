# What people and CI run in this repository. Needs Go, make and git, and for end-to-end tests the AWS CLI. Everything else is built
# from source, in versions that go.sum pins, when it is first needed (hack/tool.sh says so, and keeps it in ~/.cache).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The same for every build, so that all of them share Go's build cache.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false
export GOWORK := off

OUTPUT := _output
TOOL := hack/tool.sh
PROGRESS := hack/progress.sh

# What the targets take from the command line. FUZZTIME may be a number of runs, too: 3000x.
FUZZTIME ?= 30s
ENGINE ?= v2
SCENARIO ?= quickstart
FULL ?= $(VERBOSE)
TESTFLAGS ?=
BASE ?= main
BENCH ?= RunFunction/steady/services=(3|100)$$$$
COUNT ?= 6
LEVEL ?= error

# Modules beside the root: `go test ./...` and `golangci-lint run` stop at the border of a module.
MODULES := $(sort $(patsubst %/go.mod,%,$(wildcard cmd/*/go.mod tools/*/go.mod test/*/go.mod)))
# Modules that hold Go code and not only the versions of a tool, and those that hold tests.
LINT_MODULES := $(foreach m,$(MODULES),$(if $(shell find $(m) -name '*.go' -print -quit),$(m)))
TEST_MODULES := $(foreach m,$(MODULES),$(if $(shell find $(m) -name '*_test.go' -print -quit),$(m)))

# Every fuzz target of the root module, as package:name.
FUZZ_TARGETS = $(shell grep -roE --include='*_test.go' --exclude-dir={$(OUTPUT),test,tools} '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|/[^/]*:func |:|' | sort)

##@ General

.PHONY: help
help: ## Show this.
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Variables'
	@echo '  ENGINE     v2, v1 or v2-cli: the Crossplane that make render uses, v2-cli behind its command line (v2)'
	@echo '  SCENARIO   the folder of example/ that make render shows, or all (quickstart)'
	@echo '  FULL       1: make render shows the whole YAML, too'
	@echo '  FUZZTIME   how long make fuzz runs each target, or how often: 3000x (30s)'
	@echo '  VERSION    version of the packages that make xpkg builds (v0.1.0-dev)'
	@echo '  BASE       the commit that make benchcmp compares with (main)'
	@echo '  BENCH      what make benchcmp runs, a regular expression (RunFunction/steady, 3 and 100 services)'
	@echo '  COUNT      how often make benchcmp runs each (6)'
	@echo '  LEVEL      error or warning: what make words shows (error)'
	@echo '  TESTFLAGS  more flags for go test, for example -v or -run=TestExamples'

##@ Use

.PHONY: render
render: ## Show what the function makes of an example, with a real Crossplane. No cluster, no Docker.
	@$(PROGRESS) 'render: building the command; then come Crossplane and the function, two to five minutes in all the first time' go -C test/conformance build -o ../../$(OUTPUT)/render ./cmd/render
	@$(OUTPUT)/render -engine=$(ENGINE) -scenario=$(SCENARIO) $(if $(filter-out 0 false,$(FULL)),-full)

.PHONY: playground
playground: ## Open a control plane with Crossplane, the function, the real provider-aws and an AWS to try things on (docs/playground.md). Linux.
	@$(PROGRESS) 'playground: building' go -C test/e2e test -c -o ../../$(OUTPUT)/playground.test .
	@cd test/e2e && E2E=playground exec ../../$(OUTPUT)/playground.test -test.run='^TestPlayground$$' -test.timeout=0 -test.v

.PHONY: doctor
doctor: ## Build the kubectl plugin that checks the providers of a cluster (docs/doctor.md).
	@$(PROGRESS) 'doctor: building, a minute or two the first time' go -C cmd/kubectl-pod_identity build -ldflags='-s -w' -o ../../$(OUTPUT)/kubectl-pod_identity .
	@echo '$(OUTPUT)/kubectl-pod_identity: copy it to a directory of your PATH, then run: kubectl pod-identity doctor'

##@ Change

.PHONY: build
build: ## Build the function's binary into _output/.
	$(PROGRESS) 'go build: building, a minute or two the first time' go build -o $(OUTPUT)/function .

.PHONY: generate
generate: ## Write everything that is generated: CRDs, XRD, deepcopy code, reference docs.
	tools/generate/generate.sh

.PHONY: kinds
kinds: ## Read from the providers' source what each kind calls of AWS. Seconds, after a download of 300 MB.
	@cd tools/catalogue && go run . --out=../../internal/catalogue/kinds.tsv

.PHONY: diagrams
diagrams: ## Draw the pictures of the documentation. Needs graphviz.
	@hack/diagrams.sh

.PHONY: dashboard
dashboard: ## Draw the picture of the Grafana dashboard, from what the function exposes while it runs the examples.
	cd test/monitoring && go test -count=1 -run='^TestDashboard$$' . -update

.PHONY: fmt
fmt: ## Format all Go code.
	@set -e; lint=$$($(TOOL) golangci-lint); \
	for m in . $(LINT_MODULES); do (cd $$m && "$$lint" fmt --config "$(CURDIR)/.golangci.yml"); done

.PHONY: tidy
tidy: ## Run go mod tidy in every module.
	@set -e; for m in . $(MODULES); do echo "$$m: go mod tidy"; (cd $$m && go mod tidy); done

.PHONY: golden
golden: ## Rewrite expected.yaml of the examples and the error messages from what the function returns now. Review the diff.
	go test -count=1 -run='^(TestExamples|TestInvalid|TestInvalidTenant)$$' ./internal/function -update

##@ Check

.PHONY: lint
lint: ## Check format and style of all Go code, and the workflows.
	@set -e; lint=$$($(TOOL) golangci-lint); \
	for m in . $(LINT_MODULES); do \
	  echo "lint $$m"; \
	  (cd $$m && "$$lint" run --allow-parallel-runners --config "$(CURDIR)/.golangci.yml" ./...); \
	done
	@set -e; actionlint=$$($(TOOL) actionlint); echo 'lint .github/workflows'; "$$actionlint" .github/workflows/*.yml

.PHONY: words
words: ## Check the English of pages, comments and messages. LEVEL=warning shows long sentences, too.
	@vale=$$($(TOOL) vale); sources=$$(git ls-files '*.go' ':!*_test.go' ':!*zz_generated*'); \
	go -C tools/vale run ./messages -root=../.. -out=../../$(OUTPUT)/words $$sources; \
	pages=$$(git ls-files '*.md' ':!CHANGELOG.md' | xargs grep -L '^<!-- Generated'); echo 'words: pages, comments and messages'; \
	"$$vale" --output=line --minAlertLevel=$(LEVEL) $$pages $$sources $(OUTPUT)/words

.PHONY: unit
unit: ## Run the function's own tests only. Takes seconds.
	$(PROGRESS) 'go test: the first time, building takes two minutes or more' go test -vet=all -shuffle=on $(TESTFLAGS) ./...

.PHONY: test
test: unit ## Run all tests: the function's, against real Crossplanes and CRDs, and of the packages.
	@set -e; for t in crossplane-render-v2 crossplane-render-v1 crossplane-core-v2; do $(TOOL) $$t >/dev/null; done; \
	cli=$$($(TOOL) crossplane-cli-v2); export CROSSPLANE_CLI="$$cli"; \
	for m in $(TEST_MODULES); do \
	  echo "cd $$m && go test ./..."; \
	  (cd $$m && go test -vet=all -timeout=30m $(TESTFLAGS) ./...); \
	done

.PHONY: e2e
e2e: ## Run all scenarios but the long ones on a real control plane, with Crossplane v2.4, and the most important ones with older versions. Linux, root.
	cd test/e2e && E2E=1 go test -count=1 -v -timeout=80m $(TESTFLAGS) .
	cd test/e2e && E2E=1 go test -count=1 -v -p=1 -timeout=20m $(TESTFLAGS) ./kinds ./likeness
	cd test/conformance && E2E=1 go test -count=1 -v -timeout=20m -run='^(TestKinds|TestTenantIsolation)$$' $(TESTFLAGS) .
	cd test/xpkg && E2E=1 go test -count=1 -timeout=20m $(TESTFLAGS) .

.PHONY: e2e-all
e2e-all: ## Run every scenario with every version of Crossplane, on v2.4 with the real providers.
	cd test/e2e && E2E=all go test -count=1 -v -timeout=120m $(TESTFLAGS) .

.PHONY: scale
scale: ## Compare 100 composite resources with 10 on a real control plane. The figures are in docs/performance.md.
	cd test/e2e && E2E=scale go test -count=1 -v -timeout=120m $(TESTFLAGS) .

# go test -fuzz would instrument everything that is linked in, for minutes. What guides the fuzzing is the coverage of our own code.
.PHONY: fuzz
fuzz: ## Feed random input to every fuzz target, each for FUZZTIME.
	@set -e; ours=$$(go list -m)/...; cache=$$(go env GOCACHE)/fuzz; \
	for target in $(FUZZ_TARGETS); do \
	  pkg=$${target%%:*} fuzz=$${target##*:} test=$(CURDIR)/$(OUTPUT)/fuzz/$$(basename $${target%%:*}).test; \
	  $(PROGRESS) 'fuzz: building' go test -c -gcflags="$$ours=-d=libfuzzer" -o "$$test" $$pkg; \
	  echo "fuzz $$fuzz"; \
	  (cd $$pkg && "$$test" -test.run='^$$' -test.fuzz="^$$fuzz\$$" -test.fuzztime=$(FUZZTIME) -test.fuzzminimizetime=1x -test.fuzzcachedir="$$cache/$$fuzz"); \
	done

.PHONY: bench
bench: ## Measure how long one call of the function takes, alone and as multiples of the least that is possible, and what it allocates.
	go test -run='^$$' -bench=. -benchmem ./...

.PHONY: benchcmp
benchcmp: ## Compare BENCH with the commit BASE, COUNT times in turn. Tells what is noise.
	@benchstat=$$($(TOOL) benchstat); hack/benchcmp.sh "$$benchstat" '$(BASE)' '$(BENCH)' '$(COUNT)'

.PHONY: load
load: ## Call the function 10,000 times from 50 connections over mTLS: alone, while certificates rotate, with slow clients, while a server ends.
	LOAD=1 go test -count=1 -timeout=30m -v -run='^TestLoad$$' $(TESTFLAGS) ./internal/function

.PHONY: verify
verify: ## Check that make generate and make tidy have nothing left to change.
	@hack/verify.sh

.PHONY: commands
commands: ## Run the commands of README and docs that need no cluster, in a fresh copy, and compare what is printed.
	@$(TOOL) crossplane-core-v2 >/dev/null; $(TOOL) crossplane-cli-v2 >/dev/null; $(TOOL) crossplane-render-v1 >/dev/null
	NEWCOMER=1 go test -count=1 -timeout=30m -v -run='^(TestNewcomer|TestShellBlocks)$$' $(TESTFLAGS) ./test/docs

.PHONY: newcomer
newcomer: commands ## Also follow quick start, bootstrap, migrations and playground on real control planes (docs/e2e.md). Half an hour. Linux.
	cd test/e2e && E2E=newcomer go test -count=1 -timeout=100m -v -run='^TestE2E$$' $(TESTFLAGS) .

.PHONY: licenses
licenses: ## Check the licences of everything that is linked into the function.
	@cd tools/licenses && go run . -root=../.. $(if $(VERBOSE),-list)

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what the function calls. Needs vuln.go.dev.
	@vuln=$$($(TOOL) govulncheck); "$$vuln" ./...

.PHONY: reproducible
reproducible: ## Build the packages again, from a copy elsewhere and without a cache, and compare every byte. Ten minutes.
	@cli=$$($(TOOL) crossplane-cli-v2); hack/reproducible.sh "$$cli" $(VERSION)

.PHONY: ci
ci: ## Everything that CI runs.
	@.ci/run

##@ Ship

.PHONY: xpkg
xpkg: ## Build the packages, function and Configuration, into _output/.
	@set -e; cli=$$($(TOOL) crossplane-cli-v2); cd tools/xpkg && go run . --crossplane="$$cli" $(if $(VERSION),--version=$(VERSION))

.PHONY: sbom
sbom: xpkg ## Write bills of materials (CycloneDX), the notices of all licences and checksums next to the packages.
	@set -e; cyclonedx=$$($(TOOL) cyclonedx-gomod); cd $(OUTPUT)/xpkg; \
	for arch in amd64 arm64; do \
	  "$$cyclonedx" bin -json -std -noserial -notimestamp -version=$(or $(VERSION),v0.1.0-dev) \
	    -output=function-pod-identity-provider-$$arch.cdx.json runtime/function-$$arch; \
	done
	@cd tools/licenses && go run . -root=../.. -notices=../../$(OUTPUT)/xpkg/NOTICES.txt
	@cd $(OUTPUT)/xpkg && sha256sum *.xpkg *.cdx.json NOTICES.txt | tee SHA256SUMS

.PHONY: clean
clean: ## Remove what was built here. Tools stay in the cache.
	rm -rf $(OUTPUT)
