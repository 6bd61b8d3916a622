#!/usr/bin/env bash
# Draws the pictures of the documentation from their sources, docs/images/*.dot. Needs dot, from the package graphviz. Each
# picture ends with the hash of its source, so that a test can check without dot whether the picture is up to date.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../docs/images"
command -v dot >/dev/null || { echo "diagrams: dot is missing; it is in the package graphviz" >&2; exit 1; }

for source in *.dot; do
  picture=${source%.dot}.svg
  dot -Tsvg "$source" >"$picture"
  echo "<!-- $source $(sha256sum "$source" | cut -d ' ' -f 1) -->" >>"$picture"
done
