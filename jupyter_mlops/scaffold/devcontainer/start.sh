#!/bin/sh
# Starts JupyterLab unless it runs, and prints its address with the token that it has made.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

if ! jupyter server list 2>&1 | grep -q ':8888/'; then
    set -- --no-browser --ip=127.0.0.1 --port=8888 --ServerApp.port_retries=0
    if [ -n "${CODESPACE_NAME:-}" ]; then
        # The browser's address there, and no other.
        domain=${GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN:-app.github.dev}
        address=$(printf '%s' "$CODESPACE_NAME-8888.$domain" | sed 's/\./\\./g')
        set -- "$@" "--ServerApp.allow_origin_pat=https://$address"
    fi
    mkdir -p .mlops/logs
    nohup jupyter lab "$@" >.mlops/logs/jupyterlab.log 2>&1 &
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        sleep 1
        ! jupyter server list 2>&1 | grep -q ':8888/' || break
    done
fi
jupyter server list
