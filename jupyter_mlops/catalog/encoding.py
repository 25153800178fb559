"""Keys and values of features as bytes, as online stores keep them.

Keys that a join holds for equal are equal bytes, whether they come from a file or from a request.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from ..core.exceptions import InvalidInput
from ..core.features import FeatureFailed

if TYPE_CHECKING:
    import pyarrow as pa

#: Stands for the time of values that have none.
_ALWAYS = -(1 << 63)
_TIME = struct.Struct(">q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """Values of one feature in an online store: what they are, and from which version."""

    feature: str
    version: str
    computed_at: datetime
    filled_at: datetime
    rows: int
    entity: tuple[str, ...]
    #: What each key is: ``numbers``, ``text``, ``times`` or Arrow's name for another type.
    kinds: tuple[str, ...]
    #: Arrow's schema of the value alone.
    schema: bytes

    @property
    def type(self) -> pa.DataType:
        """Type of the values."""
        return _read_type(self.schema)

    def key(self, request: Mapping[str, Any]) -> bytes | None:
        """Return the key that a request asks for; None if a part of it is missing.

        Raises `InvalidInput` if the request lacks a column, or it is of another kind.
        """
        parts = []
        for name, kind in zip(self.entity, self.kinds, strict=True):
            if name not in request:
                raise InvalidInput(
                    f"{self.feature} is found by {name}, which the request lacks.", field=name
                )
            try:
                parts.append(_canonical(request[name], kind))
            except (TypeError, ValueError) as error:
                raise InvalidInput(
                    f"{self.feature}: {name} is {request[name]!r} in the request, but holds "
                    f"{kind} there.",
                    field=name,
                ) from error
        return None if any(each is None for each in parts) else msgspec.msgpack.encode(parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, and since when it was known, in microseconds since 1970; None for ever."""

    at: int | None
    value: Any


def dumped(fill: Fill) -> bytes:
    """Write what is said of a fill."""
    return msgspec.json.encode(fill)


@lru_cache(maxsize=4096)
def loaded(content: bytes) -> Fill:
    """Read what is said of a fill."""
    return msgspec.json.decode(content, type=Fill)


def entries(batch: pa.RecordBatch, kinds: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of rows: columns for the keys, then ``at`` and ``value``."""
    columns = [
        # Times are numbers already.
        batch.column(place).to_pylist()
        if kind == "times"
        else [_canonical(each, kind) for each in batch.column(place).to_pylist()]
        for place, kind in enumerate(kinds)
    ]
    encode = msgspec.msgpack.Encoder().encode
    times = batch.column("at").to_pylist()
    values = plain(batch.column("value")).to_pylist()
    for key, at, value in zip(zip(*columns, strict=True), times, values, strict=True):
        if None not in key:
            yield encode(key), _TIME.pack(_ALWAYS if at is None else at) + encode(value)


def entry(content: bytes) -> Entry:
    """Read a value."""
    (at,) = _TIME.unpack_from(content)
    return Entry(None if at == _ALWAYS else at, msgspec.msgpack.decode(content[_TIME.size :]))


def plain(values: pa.Array) -> pa.Array:
    """Return values as what bytes are made from: numbers for times, text for decimals."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_temporal(kind):
        return values.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    return values.cast(pa.string()) if pa.types.is_decimal(kind) else values


def typed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values that were read in the type that they had."""
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    if pa.types.is_decimal(kind):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


def check_type(feature: str, kind: pa.DataType) -> None:
    """Raise `FeatureFailed` if values of a type cannot be online."""
    import pyarrow as pa

    types = pa.types
    inner = kind
    while types.is_list(inner) or types.is_large_list(inner):
        inner = inner.value_type
    known = (types.is_primitive, types.is_string, types.is_large_string, types.is_binary,
             types.is_large_binary, types.is_null)  # fmt: skip
    single = types.is_temporal(inner) or types.is_decimal(inner)
    if types.is_interval(inner) or not (
        kind is inner if single else any(each(inner) for each in known)
    ):
        raise FeatureFailed(
            f"{feature}: values of type {kind} cannot be online. Make features of its parts."
        )


@lru_cache(maxsize=4096)
def _read_type(schema: bytes) -> pa.DataType:
    import pyarrow as pa

    return pa.ipc.read_schema(pa.py_buffer(schema)).field(0).type


def moment(time: datetime) -> int:
    """Return a time in microseconds since 1970; without a zone it is UTC."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def _canonical(value: Any, kind: str) -> Any:
    """Return the part of a key, None if it is missing. Raises `TypeError`, `ValueError`."""
    if type(value).__module__ == "numpy":
        value = _from_numpy(value)
    if value is None or value != value:  # noqa: PLR0124  # NaN and NaT are not equal to themselves
        return None
    if kind == "numbers":
        return _number(value)
    if kind == "text":
        return _of(value, str)
    if kind == "times":
        return _moment(value)
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(value)
    if isinstance(value, int):
        return value
    number = float(value)
    return int(number) if math.isfinite(number) and number.is_integer() else number


def _moment(value: Any) -> int:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return moment(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise TypeError(value)


def _of(value: Any, kind: type[Any]) -> Any:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(value)
    return value


def _from_numpy(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    return value.item() if isinstance(value, np.generic) else value
