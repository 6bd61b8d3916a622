#!/usr/bin/env bash
# Runs a command, and reports from time to time that it still runs. For builds: the Go command prints nothing for minutes.
#
#   hack/progress.sh MESSAGE COMMAND [ARGUMENT...]
set -euo pipefail

message=$1
shift

SECONDS=0
(
  while sleep 15 >/dev/null 2>&1; do
    kill -0 $$ 2>/dev/null || exit 0 # The command has ended, and nothing stopped this loop.
    echo "$message, $SECONDS s" >&2
  done
) >/dev/null & # A reader of the command's output must not wait for this loop.
ticker=$!
trap 'kill "$ticker" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

"$@"
