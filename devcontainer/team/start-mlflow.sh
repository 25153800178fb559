#!/bin/sh
# The MLflow server: records in PostgreSQL, artifacts in MinIO, both reached by the server alone.
set -eu
secrets=${SECRETS:-/run/secrets}
port=${PORT:-5000}
PGPASSWORD=$(cat "$secrets/postgres_password")
AWS_SECRET_ACCESS_KEY=$(cat "$secrets/minio_password")
export PGPASSWORD AWS_SECRET_ACCESS_KEY

python - <<'END'
import boto3

s3 = boto3.resource("s3")
if "mlflow" not in {bucket.name for bucket in s3.buckets.all()}:
    s3.create_bucket(Bucket="mlflow")
END
exec mlflow server --host 0.0.0.0 --port "$port" --workers 2 \
    --allowed-hosts "localhost:*,127.0.0.1:*,mlflow:$port" \
    --backend-store-uri "$BACKEND_STORE" --artifacts-destination s3://mlflow
