"""Whether rows have the columns and types of a model's signature, and what is wrong if not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: MLflow's types of whole numbers, by their bits.
_BITS = {"integer": 32, "long": 64}
_REALS = frozenset({"double", "float"})
_DTYPES = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
_CHECKED = frozenset({*_DTYPES, "boolean", "string", "datetime"})
#: Longest value that is shown.
_SHOWN = 60


@dataclass(frozen=True)
class Column:
    """A column of a signature; ``type`` is MLflow's word, other types are left to MLflow."""

    name: str
    type: str
    required: bool


class WrongColumn(Exception):
    """A column is missing, or a value is of another type than the signature says."""

    def __init__(self, column: str, expected: str, got: str, *, row: int | None = None) -> None:
        self.column, self.expected, self.got, self.row = column, expected, got, row
        where = "" if row is None else f" in row {row}"
        super().__init__(f"Column {column!r}: expected {expected}, got {got}{where}.")


def read_columns(inputs: Iterable[Mapping[str, Any]] | None) -> tuple[Column, ...]:
    """Return the columns of a signature's inputs as MLmodel has them; none for tensors."""
    found = [
        Column(each["name"], str(each["type"]), bool(each.get("required", True)))
        for each in inputs or ()
        if "name" in each and each.get("type") != "tensor"
    ]
    return tuple(found)


def check_json(columns: Sequence[Column], body: Any) -> None:
    """Check a request in one of MLflow's JSON forms. Raises `WrongColumn`.

    What is no table, and what is no request at all, is left to MLflow.
    """
    table = _table(body)
    if table is None or not columns:
        return
    present, values = table
    for column in columns:
        if column.name not in present:
            if column.required:
                raise _missing(column, present)
            continue
        for row, value in enumerate(values(column.name), start=1):
            if not _fits(column.type, value):
                raise WrongColumn(column.name, column.type, _shown(value), row=row)


def _table(body: Any) -> tuple[Sequence[str], Any] | None:
    """Return the names of a request's columns, and what gives the values of one."""
    if not isinstance(body, dict):
        return None
    split = body.get("dataframe_split")
    if isinstance(split, dict) and isinstance(split.get("columns"), list):
        return _split(split)
    for key in ("dataframe_records", "instances", "inputs"):
        rows = body.get(key)
        if isinstance(rows, list) and rows and all(isinstance(each, dict) for each in rows):
            names = list(dict.fromkeys(name for row in rows for name in row))
            return names, lambda name, rows=rows: (row.get(name) for row in rows)
    inputs = body.get("inputs")
    if isinstance(inputs, dict):
        listed = {k: v if isinstance(v, list) else [v] for k, v in inputs.items()}
        return list(listed), listed.__getitem__
    return None


def _split(split: dict[str, Any]) -> tuple[Sequence[str], Any] | None:
    names, data = split["columns"], split.get("data")
    if not isinstance(data, list) or not all(
        isinstance(row, list) and len(row) == len(names) for row in data
    ):
        return None
    places = {name: i for i, name in enumerate(names) if isinstance(name, str)}
    return list(places), lambda name: (row[places[name]] for row in data)


def _fits(kind: str, value: Any) -> bool:
    if kind in _REALS:
        return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
    if kind in _BITS:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        half = 2 ** (_BITS[kind] - 1)
        return whole and not isinstance(value, bool) and -half <= value < half
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("string", "binary"):
        return value is None or isinstance(value, str)
    if kind == "datetime":
        return value is None or isinstance(value, str)
    return True


def conform(columns: Sequence[Column], frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the signature's types, changed only where nothing is lost.

    Raises `WrongColumn`.
    """
    changed = {}
    for column in columns:
        if column.name not in frame.columns:
            if column.required:
                raise _missing(column, [str(each) for each in frame.columns])
            continue
        series = frame[column.name]
        fitting = _fitting(column, series)
        if fitting is not series:
            changed[column.name] = fitting
    return frame.assign(**changed) if changed else frame


def _fitting(column: Column, series: pd.Series[Any]) -> Any:
    """Return a column as the signature wants it; the same one if it is so already."""
    from pandas.api import types

    kind, found = column.type, series.dtype
    if _DTYPES.get(kind) == str(found) or kind not in _CHECKED:
        return series
    if kind in _DTYPES and types.is_numeric_dtype(found) and not types.is_bool_dtype(found):
        return _number(column, series)
    if kind == "datetime" and types.is_datetime64_any_dtype(found):
        return series.dt.as_unit("ns")
    is_right = {"boolean": types.is_bool_dtype, "string": _is_text}.get(kind)
    return series if is_right is not None and is_right(found) else _by_value(column, series)


def _is_text(dtype: Any) -> bool:
    from pandas import StringDtype

    return isinstance(dtype, StringDtype)


def _number(column: Column, series: Any) -> Any:
    """Return numbers as those of the signature's type, unless a value would be lost."""
    if column.type in _REALS:
        return series.astype(_DTYPES[column.type])
    half = 2.0 ** (_BITS[column.type] - 1)
    good = series.notna() & (series % 1 == 0) & (series >= -half) & (series < half)
    _refuse_first(column, series, good.to_numpy(dtype=bool))
    return series.astype(_DTYPES[column.type])


def _by_value(column: Column, series: pd.Series[Any]) -> Any:
    """Check the values one by one, where the column's own type says too little."""
    import numpy as np
    import pandas as pd

    values = [None if _is_missing(each) else _plain(each) for each in series]
    if column.type == "datetime":
        found = pd.to_datetime(pd.Series(values, index=series.index), errors="coerce")
        given = np.array([each is None for each in values])
        _refuse_first(column, series, given | found.notna().to_numpy())
        return found.dt.as_unit("ns")
    good = np.array([_fits(column.type, each) for each in values], dtype=bool)
    _refuse_first(column, series, good)
    if column.type in _DTYPES:
        return pd.Series(values, index=series.index, dtype=_DTYPES[column.type], name=series.name)
    if column.type == "boolean":
        return pd.Series(values, index=series.index, dtype=bool, name=series.name)
    return series


def _plain(value: Any) -> Any:
    """Return a number of numpy's or of decimals as Python's own."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.item() if hasattr(value, "item") else value


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _refuse_first(column: Column, series: pd.Series[Any], good: np.ndarray[Any, Any]) -> None:
    if not good.all():
        position = int(good.argmin())
        value = series.iloc[position]
        got = "null" if _is_missing(value) else _shown(_plain(value))
        raise WrongColumn(column.name, column.type, got, row=position + 1)


def _missing(column: Column, present: Sequence[str]) -> WrongColumn:
    names = ", ".join(map(repr, present[:20])) or "no columns"
    return WrongColumn(column.name, column.type, f"no such column (there are: {names})")


def _shown(value: Any) -> str:
    """Name a value's JSON type, and the value if it is short."""
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "number", float: "number", str: "text"}
    kind = kinds.get(type(value), "array" if isinstance(value, list) else type(value).__name__)
    text = repr(value)
    return f"{kind} {text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}"
