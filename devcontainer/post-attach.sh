#!/bin/sh
# Says where JupyterLab is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=devcontainer/common.sh
. "$here/common.sh"

host=$(public_host)
if [ -n "$host" ]; then
    address=https://$host
else
    address=http://127.0.0.1:$port
fi
echo "JupyterLab: $address/lab?token=$(cat "$token")"
