#!/usr/bin/env bash
# Generates everything that is made from the Go types: deep copies, the CompositeResourceDefinition, the Input's CRD.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# controller-gen resolves package paths in the module of its working directory.
gen=$(cd tools/generate && go tool -n controller-gen)

"$gen" object paths=./apis/... paths=./input/...
"$gen" crd:crdVersions=v1 paths=./apis/... output:crd:dir="$tmp/apis"
"$gen" crd:crdVersions=v1 paths=./input/... output:crd:dir="$tmp/input"

mkdir -p package/input configuration/apis docs
go -C tools/generate run . xrd "$tmp/apis/aws.podidentity.dev_podidentityproviders.yaml" "$root/configuration/apis/definition.yaml"
go -C tools/generate run . input "$tmp/input/podidentity.fn.crossplane.io_inputs.yaml" "$root/package/input/podidentity.fn.crossplane.io_inputs.yaml"
go -C tools/generate run . guardrails "$tmp/input/podidentity.fn.crossplane.io_inputs.yaml" "$root/docs/guardrails.md"

# The catalogue's page is made from its data.
go run ./internal/catalogue/gen > docs/catalogue.md
