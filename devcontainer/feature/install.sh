#!/bin/sh
# Puts jupyter-mlops into a container's Python. The options come as VERSION, EXTRAS and PYTHON.
set -eu
version=${VERSION:-latest}
extras=${EXTRAS:-}
python=${PYTHON:-auto}
here=$(cd "$(dirname "$0")" && pwd)

fail() {
    printf 'jupyter-mlops: %s\n' "$@" >&2
    exit 1
}

# The interpreter in the first line of the jupyter on PATH, so that its JupyterLab shows the panel.
find_python() {
    if jupyter=$(command -v jupyter); then
        found=$(sed -n '1s/^#! *\([^ ]*python[^ ]*\).*/\1/p' "$jupyter")
        if [ -x "$found" ]; then
            echo "$found"
            return
        fi
    fi
    command -v python3
}

# What pip is asked for.
requirement() {
    name=jupyter-mlops${extras:+[$extras]}
    case $version in
    latest) echo "$name" ;;
    *://*) echo "$name @ $version" ;;
    *.whl | */* | .)
        case $version in
        /*) path=$version ;;
        *) path=$here/$version ;;
        esac
        [ -e "$path" ] || fail "there is no $path: give a wheel or a folder."
        echo "$path${extras:+[$extras]}"
        ;;
    *) echo "$name==$version" ;;
    esac
}

if [ "$python" = auto ]; then
    python=$(find_python) || fail "there is no Python: add ghcr.io/devcontainers/features/python."
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is no Python 3.11 or newer: name one with the option python."
"$python" -m pip --version >/dev/null 2>&1 ||
    fail "$python has no pip: add ghcr.io/devcontainers/features/python, or name another Python."

wanted=$(requirement)
echo "Installing $wanted into $python"
"$python" -m pip install --no-cache-dir --disable-pip-version-check "$wanted" ||
    fail "$wanted could not be installed." \
        "Where no package index has it, give the option version a wheel, a folder or a URL."
"$python" -c 'import jupyter_mlops; print("Installed jupyter-mlops", jupyter_mlops.__version__)'
