#!/bin/sh
# Starts JupyterLab unless it runs, and prints its address with the token that it has made.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

runs() {
    jupyter server list 2>/dev/null | grep -q ':8888/'
}

if ! runs; then
    set -- --no-browser --ip=127.0.0.1 --port=8888 --ServerApp.port_retries=0
    if [ -n "${CODESPACE_NAME:-}" ]; then
        # The browser's address there, and no other.
        host=$CODESPACE_NAME-8888.${GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN:-app.github.dev}
        origin=$(printf 'https://%s' "$host" | sed 's/[^A-Za-z0-9]/\\&/g')
        set -- "$@" "--ServerApp.allow_origin_pat=\\A$origin\\Z" \
            --ServerApp.local_hostnames=localhost "--ServerApp.local_hostnames=$host"
    fi
    log=$(umask 077 && mkdir -p .mlops/logs && echo .mlops/logs/jupyterlab.log)
    nohup jupyter lab "$@" >"$log" 2>&1 </dev/null &
    tries=0
    until runs; do
        tries=$((tries + 1))
        if [ "$tries" -gt 120 ] || ! kill -0 $! 2>/dev/null; then
            echo "JupyterLab did not start. Its log, $log, ends with:" >&2
            tail -n 20 "$log" >&2
            exit 1
        fi
        sleep 1
    done
fi
jupyter server list
