# An MLflow server in the version that is locked; the context is requirements/.
FROM python:3.12.12-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY dev.txt /tmp/locked.txt
RUN sed -n 's/^\(uv==[0-9.]*\).*/\1/p' /tmp/locked.txt \
        | xargs pip install --no-cache-dir \
    && uv pip install --system --no-cache --constraint /tmp/locked.txt \
        boto3 mlflow 'psycopg[binary]'

RUN useradd --create-home --uid 1000 mlflow
USER 1000
WORKDIR /home/mlflow
