#!/usr/bin/env bash
# Builds the packages twice: here, and in a copy of the sources in another directory with an empty build cache. Fails unless
# both builds are the same, byte for byte.
#
#   hack/reproducible.sh CROSSPLANE_CLI [VERSION]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cli=$1
version=${2:-v0.1.0-dev}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The files that git tracks or would add: all sources of the packages, and no build output.
mkdir "$scratch/source"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar -C "$scratch/source" --extract

build() { # SOURCE OUTPUT
  (cd "$1/tools/xpkg" && go run . --crossplane="$cli" --version="$version" --output="$2" >/dev/null)
  (cd "$2" && sha256sum ./*.xpkg)
}
echo "reproducible: building $version here" >&2
build "$PWD" "$scratch/first" | tee "$scratch/first.sums"
echo "reproducible: building $version in another directory, without a cache" >&2
GOCACHE=$scratch/cache build "$scratch/source" "$scratch/second" | tee "$scratch/second.sums"

diff "$scratch/first.sums" "$scratch/second.sums"
echo "reproducible: both builds are the same"
