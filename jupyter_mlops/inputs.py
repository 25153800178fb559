"""``mlops.data``: says which file the notebook reads, where that cannot be seen.

Needs the standard library alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from .core.exceptions import InvalidInput
from .core.runs import DECLARATION, READS_VARIABLE


def data(path: str | os.PathLike[str]) -> str:
    """Declare a file or folder as data of the run, and return its path.

    ``pl.read_parquet(mlops.data("data/flights.parquet"))``: its version is recorded with the run
    and stands on the card of a model that the run makes. What Python itself opens, and what a text
    in the notebook names, is noticed without that. Outside a run it only checks that there is such
    a file. Raises `InvalidInput` if there is none.
    """
    given = os.fspath(path)
    if not Path(given).exists():
        raise InvalidInput(f"There is no file or folder {given}. Check the path.", field="path")
    report = os.environ.get(READS_VARIABLE)
    if report:
        line = f"{DECLARATION}{Path(given).absolute()}\n"
        with Path(report).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(line)
    return given
