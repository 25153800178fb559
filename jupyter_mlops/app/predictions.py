"""Use cases of predictions for files: each is an ordinary run of a notebook that we write."""

from __future__ import annotations

import asyncio
from typing import Any

from ..registry.batch import check_output
from ..registry.sources import Source
from . import messages as m
from .model_runs import ModelRuns, Work

_PREDICT = """
from pathlib import Path

import jupyter_mlops as mlops
from jupyter_mlops.registry.batch import Job, predict_file
from jupyter_mlops.registry.sources import Source

job = Job(
    files=Path(files),
    input=Source(Path(input), table),
    output=Path(output),
    rows=rows,
    chunk=chunk,
    only_predictions=only_predictions,
)
done = predict_file(job, lambda done, total: mlops.log(rows=done))
print(f"{done:,} rows predicted by {model} v{version}: {output}")
"""
_CHECK = """
from pathlib import Path

import jupyter_mlops as mlops
from jupyter_mlops.app.parity import check_parity
from jupyter_mlops.registry.sources import Source

found = check_parity(Path(files), Source(Path(input), table), rows, tolerance)
mlops.log(rows=found.rows, different=found.different, largest_difference=found.largest)
print(f"{found.rows:,} rows: {model} v{version} predicts the same online as in a batch.")
"""
_ROWS: dict[str, Any] = {"model": "", "version": 1, "files": "", "input": "", "table": None}
_PREDICTION = Work(
    "predict",
    _PREDICT,
    {**_ROWS, "output": "", "rows": None, "chunk": None, "only_predictions": False},
)
_COMPARISON = Work("check", _CHECK, {**_ROWS, "rows": 1000, "tolerance": 0.0})


class PredictionUseCases:
    """What can be asked of predictions for files."""

    def __init__(self, runs: ModelRuns) -> None:
        self._runs = runs

    async def predict_model(self, name: str, body: m.PredictRequest) -> m.SweepView:
        """Queue the prediction of a file's rows."""
        output = self._runs.path(body.output, "output")
        await asyncio.to_thread(check_output, output)
        given = {
            "output": str(output),
            "rows": body.rows,
            "chunk": body.chunk,
            "only_predictions": body.only_predictions,
        }
        return await self._submit(_PREDICTION, name, body, given)

    async def check_model(self, name: str, body: m.CheckRequest) -> m.SweepView:
        """Queue a comparison of a model's predictions online and in a batch."""
        given = {"rows": body.rows, "tolerance": body.tolerance}
        return await self._submit(_COMPARISON, name, body, given)

    async def _submit(
        self, work: Work, name: str, body: m.RowsRequest, given: dict[str, Any]
    ) -> m.SweepView:
        source = Source(self._runs.path(body.input, "input"), body.table)
        await asyncio.to_thread(lambda: source.files)
        version, copy = await self._runs.find(name, body)
        given |= {"input": str(source.path), "table": body.table}
        return await self._runs.submit(work, version, copy, body, given)
