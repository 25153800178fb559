"""Use cases of predictions for files: each is an ordinary run of a notebook that we write."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from ..core import values
from ..core.exceptions import InvalidInput, NotFound
from ..core.runs import SweepKind
from ..execution.files import write_atomically
from ..registry.batch import check_output
from ..registry.sources import Source
from . import messages as m
from .endpoint_state import samples_of
from .model_copies import ModelCopies, slug
from .projects import Project
from .sweeps import SweepUseCases

#: Folder of our notebooks, and the experiment of their runs.
_FOLDER = "runs/predictions"
_EXPERIMENT = "predictions"

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
_MONITOR = """
from pathlib import Path

import jupyter_mlops as mlops
from jupyter_mlops.metrics import log_values
from jupyter_mlops.registry import drift, quality
from jupyter_mlops.registry.sources import Source

kept = drift.read_samples(Path(samples))
drifts = drift.compare(kept, drift.read_rows(Source(Path(input), table)))
log_values({drift.metric_name(each.feature): each.distance for each in drifts})
for each in drifts:
    print(f"{each.feature}: distance {each.distance:.3f}, p {each.p_value:.2g}")
if labels:
    for each in quality.judge(kept, drift.read_rows(Source(Path(labels))), on=on, label=label):
        log_values(each.values, step=each.step)
        print(each.day or "all days", each.of, f"{each.rows:,} rows", each.metrics)
        if each.day is None:
            log_values({f"card/{k}": v for k, v in quality.expected(card, each.metrics).items()})
mlops.log(rows=len(kept))
drift.check(drifts, allowed)
"""
_MONITOR_DEFAULTS: dict[str, Any] = {
    "model": "",
    "version": 1,
    "samples": "",
    "input": "",
    "table": None,
    "labels": None,
    "on": [],
    "label": None,
    "card": {},
    "allowed": None,
}
_PREDICT_DEFAULTS: dict[str, Any] = {
    "model": "",
    "version": 1,
    "files": "",
    "input": "",
    "output": "",
    "table": None,
    "rows": None,
    "chunk": None,
    "only_predictions": False,
}
_CHECK_DEFAULTS: dict[str, Any] = {
    "model": "",
    "version": 1,
    "files": "",
    "input": "",
    "table": None,
    "rows": 1000,
    "tolerance": 0.0,
}


class PredictionUseCases:
    """What can be asked of predictions for files."""

    def __init__(self, project: Project, copies: ModelCopies, sweeps: SweepUseCases) -> None:
        self._project = project
        self._copies = copies
        self._sweeps = sweeps

    async def predict_model(self, name: str, body: m.PredictRequest) -> m.SweepView:
        """Queue the prediction of a file's rows."""
        output = self._path(body.output)
        await asyncio.to_thread(check_output, output)
        given = {
            "output": str(output),
            "rows": body.rows,
            "chunk": body.chunk,
            "only_predictions": body.only_predictions,
        }
        return await self._submit("predict", _PREDICT, _PREDICT_DEFAULTS, name, body, given)

    async def check_model(self, name: str, body: m.CheckRequest) -> m.SweepView:
        """Queue a comparison of a model's predictions online and in a batch."""
        given = {"rows": body.rows, "tolerance": body.tolerance}
        return await self._submit("check", _CHECK, _CHECK_DEFAULTS, name, body, given)

    async def monitor_model(self, name: str, body: m.MonitoringRequest) -> m.SweepView:
        """Queue a comparison of an endpoint's requests with the training data and the truth."""
        if bool(body.labels) != bool(body.on and body.label):
            raise InvalidInput(
                "labels: say with --labels FILE --on COLUMN --label COLUMN what is true of what.",
                field="labels",
            )
        given = {
            "samples": str(samples_of(self._project, name)),
            "labels": str(self._path(body.labels)) if body.labels else None,
            "on": body.on,
            "label": body.label,
            "allowed": body.allowed,
        }
        return await self._submit("monitor", _MONITOR, _MONITOR_DEFAULTS, name, body, given)

    async def _submit(
        self,
        verb: str,
        code: str,
        defaults: dict[str, Any],
        name: str,
        body: m.RowsRequest,
        given: dict[str, Any],
    ) -> m.SweepView:
        source = Source(self._path(body.input), body.table)
        await asyncio.to_thread(lambda: source.files)
        version = await self._copies.find(name, body.version, body.alias)
        copy = await self._copies.get(version)
        given |= {
            "model": version.name,
            "version": version.version,
            "files": str(copy.folder.parent),
            "input": str(source.path),
            "table": body.table,
            "card": version.metrics,
        }
        notebook = f"{_FOLDER}/{verb}-{slug(version.name)}.ipynb"
        await asyncio.to_thread(
            _write, self._project.root / notebook, defaults, f"{verb} {version.name}", code
        )
        request = m.SubmitRequest(
            notebook=notebook,
            kind=SweepKind.RUN,
            experiment=_EXPERIMENT,
            values={key: [values.encode(given[key])] for key in defaults},
            cpus=body.cpus or 1,
            memory=body.memory,
            timeout=body.timeout,
            priority=body.priority,
            kernel=body.kernel,
            environment=body.environment,
            parent_attempt=body.parent_attempt,
        )
        return await self._sweeps.submit(request)

    def _path(self, text: str) -> Path:
        """Return a path; relative ones are taken from the project's folder."""
        if "\0" in text or not text.strip():
            raise InvalidInput("A path must not be empty. Name a file.", field="input")
        return self._project.root / Path(text).expanduser()


def _write(path: Path, defaults: dict[str, Any], title: str, code: str) -> None:
    """Write a notebook with a parameters cell, unless it is there already."""
    parameters = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
    cells = [
        {
            "cell_type": "markdown",
            "id": "title",
            "metadata": {},
            "source": f"# {title}\n\nWritten by `jupyter mlops models`.",
        },
        _cell("parameters", parameters, ["parameters"]),
        _cell("work", code.strip(), []),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    content = (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise NotFound(f"{path} cannot be written: {error.strerror}.") from error


def _cell(name: str, source: str, tags: list[str]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"tags": tags},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
