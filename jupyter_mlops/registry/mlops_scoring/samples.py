"""Requests and predictions that an endpoint keeps, as Parquet, and asks a challenger about.

All of it happens beside the requests: whoever asks waits for none of it.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import queue
import random
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .challenger import Challenger
from .columns import Column, conform

if TYPE_CHECKING:
    import pandas as pd

#: Columns that are kept beside those that were named.
TIME, REQUEST, VERSION, PREDICTION, CHALLENGER = (
    "_time",
    "_request",
    "_version",
    "prediction",
    "challenger",
)
#: Requests that wait to be kept; more are passed over, so that memory is bounded.
_WAITING = 500
#: A file is written after so many rows, or seconds.
_ROWS = 5_000
_SECONDS = 5.0


class Samples:
    """Keeps a share of the requests, of the columns that were named."""

    def __init__(
        self,
        config: Mapping[str, Any],
        version: int,
        columns: Sequence[Column],
        challenger: Challenger | None = None,
    ) -> None:
        """``config`` names the folder, the share and the columns."""
        self._folder = Path(config["folder"])
        self._share = float(config["share"])
        self._names = list(config["columns"])
        self._challenger = challenger
        self._version = version
        self._columns = columns
        self._queue: queue.Queue[tuple[float, bytes, str, bytes] | None] = queue.Queue(_WAITING)
        self._chance = random.Random()  # noqa: S311 - a sample, no secret
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)
        self._thread.start()

    def answered(self, body: bytes, media: str, answer: bytes) -> None:
        """Take note of a request, unless it is left out or too many wait."""
        if self._chance.random() < self._share and not self._queue.full():
            self._queue.put_nowait((time.time(), body, media, answer))

    def close(self) -> None:
        """Write what is left."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        kept: list[pd.DataFrame] = []
        since = time.monotonic()
        while True:
            found = self._next(since + _SECONDS - time.monotonic() if kept else None)
            if isinstance(found, tuple):
                if not kept:
                    since = time.monotonic()
                kept += self._rows(*found)
            full = sum(map(len, kept)) >= _ROWS or time.monotonic() - since >= _SECONDS
            if kept and (found is None or full):
                self._write(kept)
                kept = []
            if found is None:
                return

    def _next(self, patience: float | None) -> tuple[float, bytes, str, bytes] | bool | None:
        """Return the next request; False if none came in time, None at the end."""
        try:
            return self._queue.get(timeout=None if patience is None else max(0.0, patience))
        except queue.Empty:
            return False

    def _rows(self, when: float, body: bytes, media: str, answer: bytes) -> list[pd.DataFrame]:
        """Return a request's rows as they are kept; none of one that is no table."""
        import pandas as pd

        try:
            frame = conform(self._columns, _table(body, media))
            predictions = json.loads(answer)["predictions"]
            made = pd.DataFrame({name: frame[name].to_numpy() for name in self._names})
            made[PREDICTION] = _plain(predictions)
        except Exception as error:  # noqa: BLE001 - what cannot be kept must not end the endpoint
            sys.stderr.write(f"A request was not kept: {type(error).__name__}: {error}\n")
            return []
        made[CHALLENGER] = self._challenged(body, media, len(made))
        made.insert(0, TIME, pd.Timestamp(when, unit="s", tz="UTC"))
        made.insert(1, REQUEST, uuid.uuid4().hex)
        made.insert(2, VERSION, self._version)
        return [made]

    def _challenged(self, body: bytes, media: str, rows: int) -> list[Any]:
        """Ask the challenger the same; its predictions are missing where it fails."""
        nothing = [None] * rows
        if self._challenger is None:
            return nothing
        try:
            found = _plain(self._challenger.ask(body, media))
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            sys.stderr.write(f"The challenger did not answer: {error}\n")
            return nothing
        return found if len(found) == rows else nothing

    def _write(self, kept: list[pd.DataFrame]) -> None:
        import pandas as pd

        name = f"{time.time_ns()}-{os.getpid()}.parquet"
        aside = self._folder / f".{name}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            table = pd.concat(kept, ignore_index=True)
            table[CHALLENGER] = table[CHALLENGER].astype(object)
            table.to_parquet(aside)
            aside.replace(self._folder / name)
        except (OSError, ValueError) as error:
            aside.unlink(missing_ok=True)
            sys.stderr.write(f"Requests were not kept: {error}\n")


def _table(body: bytes, media: str) -> pd.DataFrame:
    import pandas as pd

    if media == "text/csv":
        return pd.read_csv(io.BytesIO(body))
    if media != "application/json":
        return pd.read_parquet(io.BytesIO(body))
    found = json.loads(body)
    split = found.get("dataframe_split")
    if split is not None:
        return pd.DataFrame(split["data"], columns=split["columns"])
    rows = found.get("dataframe_records", found.get("instances", found.get("inputs")))
    return pd.DataFrame(rows)


def _plain(predictions: list[Any]) -> list[Any]:
    """Return one value for each row: of several, as JSON."""
    return [
        next(iter(each.values()))
        if isinstance(each, dict) and len(each) == 1
        else json.dumps(each)
        if isinstance(each, (dict, list))
        else each
        for each in predictions
    ]
