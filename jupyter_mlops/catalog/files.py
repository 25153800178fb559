"""Tables in files that belong to no source: what is joined to, and what is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.exceptions import InvalidInput
from ..core.features import Source
from .tables import connected, relation

if TYPE_CHECKING:
    import pyarrow as pa


def read_table(path: Path) -> pa.Table:
    """Return the rows of a file, in their order. Raises `InvalidInput`."""
    import duckdb

    source = Source(name=path.stem, path=str(path))
    try:
        with connected() as connection:
            rows = relation(connection, source, [path])
            return connection.sql(f"SELECT * FROM {rows}").to_arrow_table()  # noqa: S608
    except (duckdb.Error, OSError) as error:
        line = next((each.strip() for each in str(error).splitlines() if each.strip()), "")
        raise InvalidInput(f"{path.name} cannot be read: {line}") from error


def write_table(table: pa.Table, path: Path) -> None:
    """Write rows as Parquet or CSV, by the end of the name; the file appears whole."""
    from pyarrow import csv, parquet

    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".csv":
            csv.write_csv(table, aside)
        else:
            parquet.write_table(table, aside)
        aside.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        aside.unlink(missing_ok=True)
