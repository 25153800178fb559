#!/bin/sh
# Generates the passwords of the team's services, once, in a folder that git ignores. This runs
# outside of the containers, which read the files as /run/secrets/NAME whoever their user is.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)/secrets
mkdir -p "$folder"
chmod 700 "$folder"
for name in postgres_password minio_password; do
    if [ ! -s "$folder/$name" ]; then
        od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name.new"
        chmod 644 "$folder/$name.new"
        mv "$folder/$name.new" "$folder/$name"
    fi
done
