#!/bin/sh
# As ../update-content.sh, with the example's store in PostgreSQL; MLFLOW_TRACKING_URI is set for all.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=devcontainer/common.sh
. "$here/common.sh"

make setup
(
    umask 077
    printf 'postgres:5432:*:mlops:%s\n' "$(cat /run/secrets/postgres_password)" >"$HOME/.pgpass"
)
"$bin/python" "$here/team/use_store.py" "$demo" postgresql+psycopg://mlops@postgres/mlops
exec "$here/update-content.sh"
