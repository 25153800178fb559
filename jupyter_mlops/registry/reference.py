"""A sample of the training data that is logged with a model, for its requests to be compared with.

Rows are taken evenly from the whole table, so that an order in it does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Where it lies in a model's files.
REFERENCE = "artifacts/reference/train.parquet"
#: Rows of the sample.
_ROWS = 10_000
#: What the part of a split is called that a model was fitted to.
_NAMES = ("train", "training", "fit")


def write_reference(data: Any, folder: Path) -> bool:
    """Write a sample of the training data; whether there is a table to take it from."""
    table = training_part(data)
    if table is None:
        return False
    sample = table.iloc[:: max(1, -(-len(table) // _ROWS))]
    folder.mkdir(parents=True)
    path = folder / Path(REFERENCE).name
    try:
        sample.to_parquet(path, index=False)
    except (TypeError, ValueError, OverflowError, ImportError):
        # Columns of objects of all kinds; nobody could compare them.
        path.unlink(missing_ok=True)
        folder.rmdir()
        return False
    return True


def training_part(data: Any) -> Any:
    """Return the table that a model was trained on; None if none was given."""
    parts = data if isinstance(data, Mapping) else {"train": data}
    named = [parts[name] for name in _NAMES if name in parts]
    for each in named or list(parts.values())[:1]:
        table = each[0] if isinstance(each, tuple) and each else each
        if hasattr(table, "iloc") and hasattr(table, "columns"):
            return table
    return None
