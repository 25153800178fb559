"""Predictions for the rows of a file, in pieces: what the notebook of a prediction calls.

Each piece is written when it is predicted, so that whoever comes after a kill goes on behind the
last one; the output appears whole, or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import Conflict, InvalidInput
from .mlops_scoring.columns import Column, WrongColumn, conform
from .model_files import check_files
from .sources import Source, Table, opened

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Formats that can be written, by the end of the output's name.
FORMATS = (".parquet", ".csv")
#: Values in a piece, and its rows at least and at most.
_VALUES = 4_000_000
_FEWEST, _MOST = 1_000, 100_000


@dataclass(frozen=True, slots=True)
class Job:
    """What to predict, and where to."""

    #: Folder with a copy of the model's files, and their hashes.
    files: Path
    input: Source
    output: Path
    #: Rows to take from the beginning; None means all.
    rows: int | None = None
    #: Rows of a piece; None means by the number of columns.
    chunk: int | None = None
    #: Whether the input's columns are left out of the output.
    only_predictions: bool = False


class Model:
    """A loaded model, its files checked before."""

    def __init__(self, files: Path) -> None:
        """Load what lies in ``files``. Raises `ModelAltered`, `InvalidInput`."""
        try:
            self.hashes: dict[str, str] = json.loads((files / "sha256.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput(
                f"There is no model in {files}. Run the prediction again."
            ) from error
        check_files(files / "model", self.hashes)
        from .mlops_scoring.loading import load
        from .mlops_scoring.serving import columns_of

        self._model = load(files / "model")
        self.columns: Sequence[Column] = columns_of(self._model)

    def predict(self, frame: pd.DataFrame, *, start: int = 0) -> pd.DataFrame:
        """Return the predictions of rows, the first of which is number ``start`` of its source."""
        try:
            raw = self._model.predict(conform(self.columns, frame))
        except WrongColumn as wrong:
            row = None if wrong.row is None else wrong.row + start
            raise WrongColumn(wrong.column, wrong.expected, wrong.got, row=row) from None
        return as_table(raw, len(frame))


def predict_file(
    job: Job, told: Callable[[int, int | None], None] = lambda _done, _all: None
) -> int:
    """Write the predictions of a file's rows and return their number.

    ``told`` is told how many there are so far, and how many there will be if that is known. Raises
    `InvalidInput`, `WrongColumn`, `ModelAltered`, `Conflict`.
    """
    check_output(job.output)
    model = Model(job.files)
    parts = job.output.with_name(f".{job.output.name}.parts")
    with _alone(parts):
        with opened(job.input, model.columns) as table:
            size = job.chunk or max(_FEWEST, min(_MOST, _VALUES // max(1, table.width)))
            done = _begin(parts, _plan(job, model))
            total = _total(table, job.rows)
            told(done, total)
            number = len(_parts(parts))
            for piece in table.batches(size, skip=done, limit=job.rows):
                made = _predicted(model, piece, done, only=job.only_predictions)
                number += 1
                _write(parts / f"{number:08}.parquet", made)
                done += piece.num_rows
                told(done, total)
        if not number:
            raise InvalidInput(f"{job.input.path.name} has no rows.", field="input")
        _assemble(parts, job.output)
        shutil.rmtree(parts)
    return done


def check_output(output: Path) -> None:
    """Raise `InvalidInput` for a place where no predictions can be written."""
    if output.suffix.lower() not in FORMATS:
        raise InvalidInput(
            f"output: {output.name} must end in {' or '.join(FORMATS)}.", field="output"
        )
    if not output.parent.is_dir():
        raise InvalidInput(f"output: there is no folder {output.parent}.", field="output")


def as_table(raw: Any, rows: int) -> pd.DataFrame:
    """Return what a model has predicted as columns, one row for each of its input."""
    import numpy as np
    import pandas as pd

    if isinstance(raw, pd.DataFrame):
        found = raw.set_axis([str(each) for each in raw.columns], axis=1)
    elif isinstance(raw, np.ndarray) and raw.ndim > 1:
        flat = raw.reshape(len(raw), -1)
        found = pd.DataFrame(flat, columns=[f"prediction_{i}" for i in range(flat.shape[1])])
    else:
        found = pd.DataFrame({"prediction": list(raw) if isinstance(raw, (list, tuple)) else raw})
    if len(found) != rows:
        raise InvalidInput(
            f"The model made {len(found)} predictions of {rows} rows, so that they cannot be told "
            "apart. Its predict must return one for each row."
        )
    return found.reset_index(drop=True)


def _total(table: Table, limit: int | None) -> int | None:
    count = table.count()
    if count is None or limit is None:
        return count
    return min(count, limit)


# -- pieces ----------------------------------------------------------------------------------------


def _plan(job: Job, model: Model) -> dict[str, Any]:
    """Return what pieces depend on: with another one they are made anew."""
    facts = [(str(each), each.stat()) for each in job.input.files]
    return {
        "model": model.hashes,
        "input": [[path, found.st_size, found.st_mtime_ns] for path, found in facts],
        "table": job.input.table,
        "rows": job.rows,
        "only_predictions": job.only_predictions,
    }


def _begin(parts: Path, plan: dict[str, Any]) -> int:
    """Return how many rows an interrupted run has predicted, or begin anew."""
    import pyarrow.parquet as pq

    place = parts / "plan.json"
    if place.exists() and json.loads(place.read_text("utf-8")) == plan:
        return sum(pq.read_metadata(each).num_rows for each in _parts(parts))
    for each in parts.glob("*.parquet"):
        each.unlink()
    _replace(place, lambda path: path.write_text(json.dumps(plan), "utf-8"))
    return 0


def _parts(parts: Path) -> list[Path]:
    return sorted(parts.glob("[0-9]*.parquet"))


def _predicted(model: Model, piece: pa.RecordBatch, start: int, *, only: bool) -> pa.Table:
    import pyarrow as pa

    made = model.predict(piece.to_pandas(), start=start)
    found = pa.Table.from_pandas(made, preserve_index=False)
    if only:
        return found
    table = pa.Table.from_batches([piece])
    for name in found.column_names:
        free = name if name not in table.column_names else f"predicted_{name}"
        table = table.append_column(free, found.column(name))
    return table


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    _replace(path, lambda aside: pq.write_table(table, aside))


def _assemble(parts: Path, output: Path) -> None:
    """Make the output of its pieces."""
    _replace(output, lambda aside: _join(_parts(parts), aside, output.suffix.lower()))


def _join(pieces: Sequence[Path], aside: Path, suffix: str) -> None:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    # A column of integers in one piece may be one of floats in another, or empty.
    schema = pa.unify_schemas(
        [pq.read_schema(each).remove_metadata() for each in pieces], promote_options="permissive"
    )
    writer = (
        pq.ParquetWriter(aside, schema) if suffix == ".parquet" else pc.CSVWriter(aside, schema)
    )
    with writer:
        for each in pieces:
            writer.write_table(pq.read_table(each).cast(schema))


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file aside, and put it into its place when it is on the disk."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(parts: Path) -> Iterator[None]:
    """Be the only one who writes an output. Raises `Conflict`."""
    parts.mkdir(exist_ok=True)
    lock = os.open(parts.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise Conflict("Another run is just writing this output. Wait for its end.") from error
    try:
        yield
    finally:
        parts.with_suffix(".lock").unlink(missing_ok=True)
        os.close(lock)
