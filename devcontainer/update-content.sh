#!/bin/sh
# Brings the installation up to date with the checkout, and makes the example; a prebuild keeps both.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=devcontainer/common.sh
. "$here/common.sh"

make setup
# Once is enough: what was done in the example since then stays as it is.
made=$demo/.mlops/demo-made
if [ ! -e "$made" ]; then
    make demo DEMO_DIR="$demo"
    # A prebuild ends here, and no worker outlives it.
    (cd "$demo" && "$bin/jupyter" mlops worker --stop)
    touch "$made"
fi
