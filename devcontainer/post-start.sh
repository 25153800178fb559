#!/bin/sh
# Starts the example's worker and JupyterLab, unless they run. A prebuild ends before this, so that it
# holds no token; the token stays the same when the container is started again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=devcontainer/common.sh
. "$here/common.sh"

make_token() {
    if [ ! -s "$token" ]; then
        umask 077
        mkdir -p "$state"
        "$bin/python" -c 'import secrets; print(secrets.token_hex(32), end="")' >"$token.new"
        mv "$token.new" "$token"
    fi
}

start_lab() {
    set -- --no-browser --ip=127.0.0.1 --port="$port" --ServerApp.port_retries=0
    host=$(public_host)
    if [ -n "$host" ]; then
        set -- "$@" --ServerApp.allow_origin_pat="$(origin_pattern "$host")" \
            --ServerApp.local_hostnames=localhost --ServerApp.local_hostnames="$host"
    fi
    unset JUPYTER_TOKEN # it would win
    cd "$demo"
    JUPYTER_TOKEN_FILE=$token nohup setsid "$bin/jupyter" lab "$@" >"$log" 2>&1 </dev/null &
    lab=$!
    cd "$checkout"
}

await_lab() {
    tries=0
    until answers; do
        tries=$((tries + 1))
        if [ "$tries" -gt 240 ] || ! kill -0 "$lab" 2>/dev/null; then
            echo "JupyterLab did not start. Its log, $log, ends with:" >&2
            tail -n 20 "$log" >&2
            exit 1
        fi
        sleep 0.5
    done
}

# What PATH names. It lies in the home folder, which a rebuilt container has anew.
ln -sfn "$checkout/.venv" "$HOME/.environment"
(make_token)
(cd "$demo" && "$bin/jupyter" mlops worker)
if ! answers; then
    start_lab
    await_lab
fi
