#!/usr/bin/env bash
# Fails if generating or tidying changes any file, and shows the changes. Compares with the files as they were before, so it
# also works with uncommitted changes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Use a temporary repository: the real one is not touched, and need not exist.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
snapshot() {
  GIT_DIR=$scratch/git git -c core.autocrlf=false --work-tree=. add --all .
  GIT_DIR=$scratch/git git write-tree
}
GIT_DIR=$scratch/git git init --quiet

before=$(snapshot)
make --no-print-directory kinds generate tidy
after=$(snapshot)

if [ "$before" != "$after" ]; then
  GIT_DIR=$scratch/git git --no-pager diff "$before" "$after" --
  {
    echo
    echo "verify: these files are not what 'make kinds generate tidy' makes of their sources:"
    GIT_DIR=$scratch/git git --no-pager diff --name-only "$before" "$after" -- | sed 's/^/  /'
    echo "They have just been rewritten. Review and commit them; do not edit generated files by hand."
  } >&2
  exit 1
fi
echo "verify: generated files and go.mod files are up to date"
