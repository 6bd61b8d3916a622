#!/usr/bin/env bash
# Generates everything that derives from the Go types: deep copies, the CompositeResourceDefinition, the Input's CRD,
# and pages of documentation.
set -euo pipefail
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# controller-gen resolves package paths in the module of its working directory.
gen=$(cd tools/generate && go tool -n controller-gen)

"$gen" object paths=./apis/... paths=./input/...
"$gen" crd:crdVersions=v1 paths=./apis/... output:crd:dir="$tmp/apis"
"$gen" crd:crdVersions=v1 paths=./input/... output:crd:dir="$tmp/input"

xr=$tmp/apis/aws.podidentity.dev_podidentityproviders.yaml
tenant=$tmp/apis/aws.podidentity.dev_podidentitytenants.yaml
input=$tmp/input/podidentity.fn.crossplane.io_inputs.yaml
mkdir -p package/input configuration/apis docs/reference
make() { "$tmp/generate" "$@"; }
go -C tools/generate build -o "$tmp/generate" .
make xrd "$xr" configuration/apis/definition.yaml
make xrd "$tenant" configuration/apis/tenant-definition.yaml
make input "$input" package/input/podidentity.fn.crossplane.io_inputs.yaml
make xr-reference "$xr" docs/reference/podidentityprovider.md
make claim-reference "$xr" docs/reference/claim.md
make xr-reference "$tenant" docs/reference/podidentitytenant.md
make claim-reference "$tenant" docs/reference/tenant-claim.md
make input-reference "$input" docs/reference/input.md
make guardrails "$input" docs/guardrails.md
make conditions apis/v1alpha1 docs/conditions.md

# A DeploymentRuntimeConfig may have the fields of the oldest and the newest Crossplane, the releases that the conformance tests check.
config() { (cd "$tmp" && go mod download -json "$1" | sed -n 's|^\t"Dir": "\(.*\)",$|\1/cluster/crds/pkg.crossplane.io_deploymentruntimeconfigs.yaml|p'); }
make runtime-schema "$(config github.com/crossplane/crossplane@v1.20.11)" "$(config github.com/crossplane/crossplane/v2@v2.4.2)" internal/runtimeconfig/schema.json

# The pages of the catalogue derive from its data.
go run ./internal/catalogue/gen > docs/catalogue.md
go run ./internal/catalogue/gen kinds
# So does the page on the fields that claims may set.
go run ./internal/claims/gen > docs/claims.md
# And the page on the versions that the end-to-end tests run on.
(cd test/e2e && go test -count=1 -run '^TestCompatibility$' . -update >"$tmp/compatibility.log") || { cat "$tmp/compatibility.log" >&2; exit 1; }
