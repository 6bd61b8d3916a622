#!/usr/bin/env bash
# Runs a command, and says every now and then that it still runs. For builds: the Go command says nothing for minutes.
#
#   hack/progress.sh MESSAGE COMMAND [ARGUMENT...]
set -euo pipefail

message=$1
shift

SECONDS=0
(
  while sleep 15 >/dev/null 2>&1; do
    kill -0 $$ 2>/dev/null || exit 0 # The command is over and this was not told.
    echo "$message, $SECONDS s" >&2
  done
) >/dev/null & # Whoever reads the command's output must not wait for this, too.
ticker=$!
trap 'kill "$ticker" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

"$@"
