# shellcheck shell=sh disable=SC2034,SC2154
# Where things are. The other scripts read this first, with $here set to this folder.
set -eu
checkout=$(cd "$here/.." && pwd)
demo=$checkout/mlops-demo
bin=$checkout/.venv/bin
port=${JUPYTER_PORT:-8888}
state=${XDG_STATE_HOME:-$HOME/.local/state}/devcontainer
token=$state/token
log=$state/lab.log
cd "$checkout"

# Codespaces' name for the port, which the browser shows; empty elsewhere.
public_host() {
    if [ -n "${CODESPACE_NAME:-}" ] && [ -n "${GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN:-}" ]; then
        echo "$CODESPACE_NAME-$port.$GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"
    fi
}

# The regular expression that an origin on host $1 matches, and no other.
origin_pattern() {
    printf '\\A%s\\Z' "$(printf 'https://%s' "$1" | sed 's/[^A-Za-z0-9]/\\&/g')"
}

# Whether our JupyterLab answers to its token.
answers() {
    [ -s "$token" ] && "$bin/python" - "$port" "$token" 2>/dev/null <<'END'
import pathlib, sys, urllib.request

port, token = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"token {token}"}
)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)
END
}
