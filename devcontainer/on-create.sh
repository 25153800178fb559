#!/bin/sh
# Installs everything; a prebuild keeps it. A later run installs only what has changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=devcontainer/common.sh
. "$here/common.sh"

make setup
