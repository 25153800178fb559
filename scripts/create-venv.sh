#!/bin/sh
# Makes the virtual environment $1 with the uv that requirements/dev.txt names, or says what is missing.
set -eu
venv=$1

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if recent "$name"; then
            echo "$name"
            return
        fi
    done
}

command -v node >/dev/null || fail "Node is missing: install Node 20 or newer."
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
    fail "Node $(node --version) is too old: install Node 20 or newer."

if ! recent "$venv/bin/python"; then
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is missing: install it, or name it: make PYTHON=..."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: on Debian or Ubuntu, apt-get install python3-venv."
    echo "Making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

if [ ! -x "$venv/bin/uv" ]; then
    uv=$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements/dev.txt)
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 "$uv" ||
        fail "$uv could not be installed. Is there a network? Run the same again when there is."
fi
