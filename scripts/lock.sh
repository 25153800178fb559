#!/bin/sh
# Resolves requirements/*.txt for every Python that we support. Arguments go to uv: --upgrade for newer ones.
set -eu

resolve() {
    output=$1
    shift
    .venv/bin/uv pip compile --python-version 3.11 --universal --generate-hashes \
        --no-annotate --no-header --no-emit-index-url --quiet --output-file "$output" "$@" >/dev/null
}

resolve requirements/dev.txt pyproject.toml --extra demo --extra diff --extra optuna --extra postgresql \
    --extra comet --extra wandb --extra redis --extra dask --group dev "$@"
# The product and its example alone, in the same versions.
resolve requirements/demo.txt pyproject.toml --extra demo --group build --constraint requirements/dev.txt "$@"
# What the benchmarks compare us with.
resolve requirements/peers.txt --group pyproject.toml:peers --constraint requirements/dev.txt "$@"
# What features are exported to; it needs another pandas, so that it cannot follow our versions.
resolve requirements/feast.txt --group pyproject.toml:feast "$@"
