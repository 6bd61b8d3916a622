#!/usr/bin/env bash
# Compares the benchmarks of the working tree with those of another commit. The runs alternate, so that both have the same conditions.
#
#   hack/benchcmp.sh BENCHSTAT BASE BENCH COUNT
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
benchstat=$1 base=$2 bench=$3 count=$4

work=$(mktemp -d)
trap 'git worktree remove --force "$work/base"; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/base" "$base"

hack/progress.sh 'benchcmp: building' go test -c -o "$work/new.test" ./internal/function
hack/progress.sh 'benchcmp: building' go test -C "$work/base" -c -o "$work/old.test" ./internal/function
for i in $(seq "$count"); do
  echo "run $i of $count" >&2
  (cd "$work/base/internal/function" && "$work/old.test" -test.run='^$' -test.bench="$bench" -test.benchmem >>"$work/old.txt")
  (cd internal/function && "$work/new.test" -test.run='^$' -test.bench="$bench" -test.benchmem >>"$work/new.txt")
done
"$benchstat" "$base=$work/old.txt" "working tree=$work/new.txt"
