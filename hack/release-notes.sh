#!/usr/bin/env bash
# Prints the section of CHANGELOG.md for a version. Fails unless all files that name the version agree with it.
#
#   hack/release-notes.sh vX.Y.Z
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=${1:?usage: hack/release-notes.sh vX.Y.Z}

fail() {
  echo "release-notes: $*" >&2
  exit 1
}

[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "$version is not a version vX.Y.Z"
grep -q "configuration-pod-identity-provider:$version\$" manifests/configuration.yaml ||
  fail "manifests/configuration.yaml does not install $version"
grep -q "function-pod-identity-provider\$" configuration/crossplane.yaml ||
  fail "configuration/crossplane.yaml does not depend on the function"

notes=$(awk -v v="[${version#v}]" '
  index($0, "## " v) == 1 { inside = 1; next }
  inside && /^## |^\[/ { exit }
  inside' CHANGELOG.md)
[ -n "${notes//[[:space:]]/}" ] || fail "CHANGELOG.md has no section for $version"
echo "$notes"
