#!/bin/sh
# Fetches what the DVC remote has of this state, runs `jupyter mlops` with the arguments, and keeps
# what was made there. The exit code is that of the command.
set -eu

remote=$(dvc remote list 2>/dev/null || true)
[ -z "$remote" ] || dvc pull --quiet --run-cache --allow-missing
code=0
jupyter mlops "$@" || code=$?
[ -z "$remote" ] || dvc push --quiet --run-cache
exit "$code"
