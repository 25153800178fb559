"""Records of computations as JSON, so that who reads them needs nothing but this."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..core.features import Computation, Partition, Why, read_statistics

_TIMES = ("computed_at", "first", "last", "online_at")


def dumped(computation: Computation) -> bytes:
    """Write a record."""
    record = asdict(computation)
    for name in _TIMES:
        time = record[name]
        record[name] = time.astimezone(UTC).isoformat() if time is not None else None
    return json.dumps(record, indent=2, allow_nan=False).encode() + b"\n"


def loaded(content: bytes) -> Computation:
    """Read a record. Raises `ValueError` if it is none."""
    record = json.loads(content)
    if not isinstance(record, dict):
        raise ValueError("a record is an object")  # noqa: TRY004  # what json raises for bad text
    try:
        return _computation(record)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a record of a computation: {error}") from error


def _computation(record: dict[str, Any]) -> Computation:
    record.update(
        why=Why(record["why"]),
        entity=tuple(record["entity"]),
        partitions=tuple(Partition(**each) for each in record["partitions"]),
        statistics=read_statistics(record["statistics"]),
    )
    for name in _TIMES:
        if record[name] is not None:
            record[name] = datetime.fromisoformat(record[name])
    return Computation(**record)
