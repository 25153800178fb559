"""Predictions for files that are larger than the memory that they may take."""

from __future__ import annotations

import os
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import serving_operations
from tests.support import served, workers
from tests.support.tracked import MLFLOW_WARNING

ROWS = int(os.environ.get("BENCH_ROWS", "10000000"))
#: Bytes of memory that a prediction may take with all that it starts.
ALLOWED = 1_000_000_000


@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings(MLFLOW_WARNING)
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_ten_million_rows(tmp_path: Path, suffix: str) -> None:
    """Ten million rows are predicted within 1 GB; print the time and the memory."""
    folder = workers.make_project(tmp_path / "project")
    served.register(folder)
    source, output = folder / f"rows.{suffix}", folder / "out.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT i AS id, i * 0.5 AS distance, i % 24 AS hour, 'carrier ' || (i % 9) AS "  # noqa: S608
            f"name FROM range({ROWS}) AS t(i)) TO '{source}'"
        )
    with workers.worker(folder) as client:
        began = time.perf_counter()
        body = m.PredictRequest(input=str(source), output=str(output))
        sweep = client.call(
            serving_operations.PREDICT_MODEL, body=body, timeout=None, name="flights"
        )
        workers.wait_for(client, sweep.id)
        seconds = time.perf_counter() - began
        detail = client.call(ops.GET_RUN, run_id=f"{sweep.id}-1")
    (attempt,) = detail.attempts
    assert detail.run.status == "succeeded", detail.run.error
    assert pq.read_metadata(output).num_rows == ROWS
    peak = attempt.peak_memory
    print(f"\n{ROWS:,} rows of {suffix}: {seconds:.0f} s, {(peak or 0) / 1e6:.0f} MB at most")
    assert peak is not None
    assert peak < ALLOWED
