"""Whether a model predicts the same online as in a batch: what the notebook of a check calls."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import Conflict, MlopsError
from ..registry import mlops_scoring
from ..registry.batch import Model, as_table
from ..registry.sources import Source, opened
from .unix import UnixConnection

if TYPE_CHECKING:
    import pandas as pd

_SCRIPT = Path(mlops_scoring.__file__).with_name("__main__.py")
#: Rows that are sent in one request, and rows that are sent alone.
_TOGETHER = 100
_ALONE = 10
#: Seconds that a model may take to be loaded, and that an answer may take.
_LOADING = 600.0
_ANSWER = 120.0
_LIMIT = 64 * 2**20


class NotEqual(Conflict):
    """The model predicts other values online than in a batch."""

    code = "not_equal"


@dataclass(frozen=True, slots=True)
class Parity:
    """How the predictions of the same rows compare."""

    rows: int
    #: Rows whose predictions differ by more than the tolerance.
    different: int
    #: The largest difference of two numbers.
    largest: float


def check_parity(files: Path, source: Source, rows: int, tolerance: float = 0.0) -> Parity:
    """Predict rows of a file in a batch and through an endpoint, and compare. Raises `NotEqual`.

    Numbers may differ by ``tolerance``, all else must be equal.
    """
    model = Model(files)
    frame = _read(model, source, rows)
    batch = _values(model.predict(frame))
    with _endpoint(files, model) as socket:
        online = list(_ask_all(socket, frame))
    differences = [
        max((_difference(a, b) for a, b in zip(left, right, strict=True)), default=0.0)
        for left, right in zip(batch, online, strict=True)
    ]
    wrong = [i for i, each in enumerate(differences) if each > tolerance]
    if wrong:
        i = wrong[0]
        raise NotEqual(
            f"{len(wrong)} of {len(batch)} rows are predicted otherwise online than in a batch; "
            f"row {i + 1}: {batch[i]} in a batch, {online[i]} online."
        )
    return Parity(rows=len(batch), different=0, largest=max(differences, default=0.0))


def _read(model: Model, source: Source, rows: int) -> pd.DataFrame:
    import pyarrow as pa

    with opened(source, model.columns) as table:
        pieces = list(table.batches(rows, skip=0, limit=rows))
    frame: pd.DataFrame = pa.Table.from_batches(pieces).to_pandas()
    return frame


def _ask_all(socket: Path, frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the predictions of rows: of the first ones alone, of the others together."""
    alone = min(_ALONE, len(frame))
    ends = [*range(1, alone + 1), *range(alone + _TOGETHER, len(frame), _TOGETHER), len(frame)]
    start = 0
    for end in dict.fromkeys(ends):
        yield from _ask(socket, frame.iloc[start:end])
        start = end


def _ask(socket: Path, piece: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    text = json.dumps({"dataframe_split": _as_json(piece)})
    with contextlib.closing(UnixConnection(socket, _ANSWER)) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/invocations", text.encode(), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    if response.status != 200:
        raise MlopsError(f"The endpoint refused a row: {answer.get('message', answer)}")
    yield from _values(as_table(_listed(answer["predictions"]), len(piece)))


def _listed(predictions: Any) -> Any:
    """Return predictions of an answer as a model might have made them."""
    import numpy as np
    import pandas as pd

    first = predictions[0] if isinstance(predictions, list) and predictions else None
    if isinstance(first, dict):
        return pd.DataFrame(predictions)
    return np.array(predictions) if isinstance(first, list) else predictions


def _as_json(piece: pd.DataFrame) -> dict[str, Any]:
    import pandas as pd

    def plain(value: Any) -> Any:
        if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            return None
        if hasattr(value, "isoformat"):
            return value.isoformat()
        return value.item() if hasattr(value, "item") else value

    rows = [[plain(each) for each in row] for row in piece.itertuples(index=False, name=None)]
    return {"columns": [str(each) for each in piece.columns], "data": rows}


def _values(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(table.itertuples(index=False, name=None))


def _difference(left: Any, right: Any) -> float:
    """Return by how much two predictions differ; infinity where they are no numbers."""
    numbers = (int, float)
    left, right = (each.item() if hasattr(each, "item") else each for each in (left, right))
    if isinstance(left, numbers) and isinstance(right, numbers):
        if left == right or (math.isnan(left) and math.isnan(right)):
            return 0.0
        return abs(left - right) if math.isfinite(left - right) else math.inf
    missing = [each is None or each != each for each in (left, right)]  # noqa: PLR0124 - NaN
    return 0.0 if all(missing) or left == right else math.inf


@contextlib.contextmanager
def _endpoint(files: Path, model: Model) -> Iterator[Path]:
    """Serve the model for the block, as an endpoint would, and yield its socket."""
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        socket, log = Path(folder) / "s", Path(folder) / "log"
        config = {
            "name": "check",
            "version": 0,
            "folder": str(files / "model"),
            "hashes": model.hashes,
            "socket": str(socket),
            "build": "check",
            "limit": _LIMIT,
        }
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603 - our own interpreter, an argv list
                [sys.executable, "-P", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            ) as process,
        ):
            try:
                if process.stdin is not None:
                    process.stdin.write(json.dumps(config).encode())
                    process.stdin.close()
                _wait(process, socket, log)
                yield socket
            finally:
                process.terminate()


def _wait(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _LOADING
    while not _answers(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text("utf-8", "replace").strip().splitlines() or ["no word"]
            raise MlopsError(f"The model could not be served: {lines[-1]}")
        time.sleep(0.1)  # a process tells nobody that it listens


def _answers(socket: Path) -> bool:
    with contextlib.closing(UnixConnection(socket, _ANSWER)) as connection:
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
