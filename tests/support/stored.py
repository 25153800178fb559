"""Values of features, written as computing writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog, read_catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import Computation, Partition
from tests.support.catalog import make_place, write_group
from tests.support.features import computation


def declared(
    name: str, *, entity: Sequence[str] = ("key",), timestamp: str | None = "at", ttl: str = ""
) -> str:
    """Return the code of a feature that is read from the source ``events``."""
    said = f"entity={list(entity)!r}"
    said += f", timestamp={timestamp!r}" if timestamp else ""
    said += f", ttl={ttl!r}" if ttl else ""
    function = f"def {name}(events: pd.DataFrame) -> pd.Series:\n    return events[{name!r}]\n\n"
    return f"@feature({said})\n{function}"


def project(root: Path, **groups: str) -> tuple[Place, Catalog]:
    """Make a project with these modules, and read it."""
    for group, code in groups.items():
        write_group(root, group, f"from jupyter_mlops.catalog.define import feature\n\n{code}")
    place = make_place(root, events="events.csv")
    catalog = read_catalog(place)
    assert not catalog.problems, catalog.problems
    return place, catalog


def store(  # as many as a record has facts that tests change
    place: Place,
    catalog: Catalog,
    name: str,
    values: pd.DataFrame | pa.Table,
    *,
    version: str = "0123456789ab",
    pieces: int = 1,
    **changes: Any,
) -> Computation:
    """Store values of a feature, sorted by time, in one file or several."""
    definition = catalog.find(name)
    table = values if isinstance(values, pa.Table) else pa.Table.from_pandas(values)
    table = table.replace_schema_metadata(None)
    if definition.timestamp is not None:
        at = table.column_names.index(definition.timestamp)
        times = table.column(at).cast(pa.timestamp("us", "UTC"))
        table = table.set_column(at, definition.timestamp, times)
        table = table.sort_by(definition.timestamp)
    offline = Offline(place)
    draft = offline.draft(definition.full_name, version)
    partitions = []
    size = -(-len(table) // pieces) or 1
    for number, start in enumerate(range(0, len(table) or 1, size)):
        with draft.replacing(str(number)) as path:
            pq.write_table(table.slice(start, size), path)
            partitions.append(Partition(name=str(number), rows=size, size=path.stat().st_size))
    record = computation(
        feature=definition.full_name,
        version=version,
        code_hash=definition.code_hash,
        sources={"events": "f" * 64},
        computed_at=datetime.now(UTC),
        rows=len(table),
        type=str(table.schema.field(definition.name).type),
        entity=definition.entity,
        timestamp=definition.timestamp,
        partitions=tuple(partitions),
        **_span(table, definition.timestamp),
        **changes,
    )
    draft.complete(record)
    offline.publish(record)
    return record


def _span(table: pa.Table, timestamp: str | None) -> dict[str, datetime | None]:
    """Return the times of the first and last value."""
    if timestamp is None or not len(table):
        return {"first": None, "last": None}
    found = pc.min_max(table.column(timestamp)).as_py()
    return {"first": found["min"], "last": found["max"]}


SPENT = pd.DataFrame(
    {
        "key": [1, 1, 2],
        "at": pd.to_datetime(["2020-01-02", "2020-01-05", "2020-01-02"], utc=True),
        "spent": [1.5, 2.5, 3.5],
    }
)
ENTITIES = pd.DataFrame(
    {
        "key": [2, 1, 1, 1, 3, 1],
        "at": pd.to_datetime(
            ["2020-01-03", "2020-01-04", "2020-01-04", "2020-01-01", "2020-01-09", "2020-01-05"]
        ),
        "label": [0, 1, 2, 3, 4, 5],
    },
    index=pd.Index(list("abbcde"), name="letter"),
)
EXPECTED = [3.5, 1.5, 1.5, None, None, 2.5]


class Shop:
    """A project with features of one group, some of them stored."""

    def __init__(self, root: Path, code: str, **stored: pd.DataFrame | pa.Table) -> None:
        self.place, self.catalog = project(root, shop=code)
        for name, values in stored.items():
            store(self.place, self.catalog, f"shop.{name}", values)

    def join(self, entities: Any, *names: str, **options: Any) -> Any:
        """Return the table with these features, or all of them."""
        wanted = names or tuple(self.catalog.definitions)
        return training_set(self.place, self.catalog, entities, wanted, **options).table


def values(found: pd.Series) -> list[Any]:
    """Return values with None for those that are missing."""
    return [None if pd.isna(each) else each for each in found]
