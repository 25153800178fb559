"""What ``data=`` of `log_model` tells: the parts of a split, with rows, columns and a hash of all.

MLflow's own digest sees the first 10,000 rows only, and not all types, so ours is another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput

#: Names of columns that are told.
_MOST = 2000


def describe_data(data: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the parts of a split by name, and the paths that were given.

    ``data`` is a path, a table or an array, a list of those, or a dict of them by the names of
    the split's parts. Raises `InvalidInput` for a path that is not there.
    """
    if data is None:
        return {}, []
    if isinstance(data, Mapping):
        named = {str(name): each for name, each in data.items()}
    elif isinstance(data, list):
        named = {f"data {number}": each for number, each in enumerate(data, 1)}
    else:
        named = {"data": data}
    paths, parts = [], {}
    for name, each in named.items():
        if isinstance(each, str | os.PathLike):
            if not Path(each).exists():
                raise InvalidInput(f"data: there is no file {os.fspath(each)}.", field="data")
            paths.append(str(Path(each).absolute()))
        else:
            parts[name] = describe_part(each)
    return parts, paths


def describe_part(part: Any) -> dict[str, Any]:
    """Return size and hash of a table, an array, or a tuple of them such as (X, y)."""
    members = part if isinstance(part, tuple) else (part,)
    digest = hashlib.sha256()
    columns: list[str] = []
    rows = 0
    for member in members:
        rows = max(rows, _feed(member, digest))
        columns += _columns(member)
    return {"rows": rows, "columns": columns[:_MOST], "sha256": digest.hexdigest()}


def sample_of(data: Any, rows: int) -> Any:
    """Return the first rows of the last table in ``data``; None if there is none."""
    members: Sequence[Any] = list(data.values()) if isinstance(data, Mapping) else [data]
    for each in reversed(members):
        table = each[0] if isinstance(each, tuple) and each else each
        if hasattr(table, "iloc"):
            return table.iloc[:rows]
    return None


def _columns(part: Any) -> list[str]:
    columns = getattr(part, "columns", None)
    if columns is not None:
        return [str(each) for each in columns]
    name = getattr(part, "name", None)
    return [str(name)] if name is not None else []


def _feed(part: Any, digest: Any) -> int:
    """Add all of a part's content to a hash; return its rows."""
    import numpy as np
    import pandas as pd

    if hasattr(part, "to_pandas") and not isinstance(part, pd.DataFrame | pd.Series):
        part = part.to_pandas()
    if isinstance(part, pd.DataFrame | pd.Series):
        types = part.dtypes if isinstance(part, pd.DataFrame) else part.dtype
        digest.update(f"{_columns(part)} {types}".encode())
        digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
        return len(part)
    if hasattr(part, "tocsr"):
        part = part.tocsr()
        for each in (part.data, part.indices, part.indptr):
            digest.update(np.ascontiguousarray(each).tobytes())
        return int(part.shape[0])
    if hasattr(part, "detach"):
        part = part.detach().cpu().numpy()
    array = np.asarray(part)
    digest.update(f"{array.shape} {array.dtype}".encode())
    digest.update(repr(array.tolist()).encode() if array.dtype == object else array.tobytes())
    return int(array.shape[0]) if array.ndim else 1
