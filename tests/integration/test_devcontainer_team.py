"""The team's services of the devcontainer, as far as they start without a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import psycopg
import pytest

from tests.support import postgres
from tests.support.ports import free_port

TEAM = Path(__file__).parents[2] / "devcontainer" / "team"
BIN = Path(sys.executable).parent
STORE = "postgresql+psycopg://mlops@postgres/mlops"
#: Logs a run with a metric and an artifact.
LOG = """
import mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.7)
    mlflow.log_text("kept", "note.txt")
print(mlflow.get_run(run.info.run_id).data.metrics, mlflow.artifacts.load_text(
    f"runs:/{run.info.run_id}/note.txt"))
"""


def test_the_example_is_told_its_store_once(tmp_path: Path) -> None:
    """The setting is added to the copy of the example, and stays as a user changes it."""
    command = [sys.executable, TEAM / "use_store.py", tmp_path / "demo"]
    for url in (STORE, "sqlite:///other.db"):
        subprocess.run([*command, url], check=True)
    settings = tomllib.loads((tmp_path / "demo" / "mlops.toml").read_text("utf-8"))
    assert settings["store"] == STORE
    assert settings["experiment"] == "late-flights"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing()))
def test_mlflow_keeps_records_in_postgresql_and_artifacts_in_s3(tmp_path: Path) -> None:
    """A client needs the server's address alone; hosts that are not the team's are refused."""
    secrets = tmp_path / "team" / "secrets"
    secrets.parent.mkdir()
    subprocess.run([shutil.copy(TEAM / "make-secrets.sh", secrets.parent)], check=True)
    s3 = f"http://127.0.0.1:{free_port()}"
    port = free_port()
    with postgres.server() as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute((TEAM / "create-databases.sql").read_text("utf-8").encode())
        environment = {
            "AWS_ACCESS_KEY_ID": "mlops",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": s3,
            "MLFLOW_S3_ENDPOINT_URL": s3,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BACKEND_STORE": url.replace("/postgres?", "/mlflow?"),
            "SECRETS": str(secrets),
            "PORT": str(port),
            "NO_PROXY": "127.0.0.1",
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        }
        stored = started([BIN / "moto_server", "-p", s3.rpartition(":")[2]], s3)
        served = started(
            ["sh", TEAM / "start-mlflow.sh"], f"http://127.0.0.1:{port}/health", **environment
        )
        with stored, served:
            address = f"http://127.0.0.1:{port}"
            done = subprocess.run(
                [sys.executable, "-c", LOG],
                env=os.environ | {"MLFLOW_TRACKING_URI": address, "NO_PROXY": "127.0.0.1"},
                cwd=tmp_path,
                check=True,
                capture_output=True,
                text=True,
            )
            assert "{'auc': 0.7} kept" in done.stdout
            assert status(f"{address}/version", Host=f"mlflow:{port}") == 200
            search = f"{address}/api/2.0/mlflow/experiments/get?experiment_id=0"
            assert status(search, Host=f"mlflow:{port}") == 200
            assert status(search, Host="example.org") == 403
            client = boto3.client(
                "s3", endpoint_url=s3, aws_access_key_id="mlops", aws_secret_access_key="any"
            )
            listed = client.list_objects_v2(Bucket="mlflow")["Contents"]
            assert [each["Key"].rpartition("/")[2] for each in listed] == ["note.txt"]


@contextmanager
def started(command: list[str | Path], address: str, **environment: str) -> Iterator[None]:
    """Run a server until the block ends, which begins when the server answers."""
    process = subprocess.Popen(command, env=environment or None, start_new_session=True)
    try:
        end = time.monotonic() + 120
        while status(address) != 200:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def status(address: str, **headers: str) -> int:
    """Return the status of an answer, or 0 if there is none."""
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - our own server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0
