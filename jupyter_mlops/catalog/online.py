"""Features online: the newest value of each entity, and what is computed from a request."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ..core.exceptions import InvalidInput, NotFound
from ..core.features import Computation, Definition
from .encoding import Fill, check_type, entries, entry, moment, typed
from .entities import in_arrow
from .joining import needed, stored_values
from .naming import columns_of
from .online_ports import Filling, Found, Online
from .place import Place, resolved
from .reading import Catalog
from .storing import Offline
from .values import Stored, kind_of, newest, schema_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Told = Callable[[str], None]
#: What is asked for: the columns of keys, and those that features of the request need.
Request = Mapping[str, Any]

_FILE = "sqlite:///"
_opened: dict[tuple[int, str], Online] = {}
_opening = threading.Lock()


def open_online(place: Place) -> Online:
    """Return the online store of a project, opened once in a process. Raises `InvalidInput`."""
    url = resolved(place.root, place.online)
    if url.startswith(_FILE):
        url = f"{_FILE}{place.root / url.removeprefix(_FILE)}"
    key = (os.getpid(), url)
    with _opening:
        if key not in _opened:
            _opened[key] = _open(url)
        return _opened[key]


def _open(url: str) -> Online:
    if url.startswith(_FILE):
        from .online_sqlite import SqliteOnline

        return SqliteOnline(Path(url.removeprefix(_FILE)))
    if url.startswith(("redis://", "rediss://", "unix://")):
        from .online_redis import RedisOnline

        return RedisOnline(url)
    raise InvalidInput(
        "The online store must be a file or redis://HOST:PORT/DB. Check [features] online in the "
        "project's settings.",
        field="online",
    )


def fill_online(
    place: Place,
    catalog: Catalog,
    names: Iterable[str],
    *,
    force: bool = False,
    told: Told = lambda _line: None,
) -> list[Computation]:
    """Write the newest values of features to the online store, and return what is there then.

    Features of the request stand for the stored ones that they need. What is online already in its
    current version is not written again, unless forced. All become visible at one moment.

    Raises `NotFound` for what is not computed, `FeatureFailed`, `OnlineUnavailable`.
    """
    definitions = needed(catalog, catalog.checked(names))
    found = [stored_values(place, each) for each in definitions]
    fills: list[Fill] = []
    with open_online(place).filling() as filling:
        current = {} if force else open_online(place).fills()
        for stored, record in found:
            if is_current(current.get(record.feature), record):
                told(f"{record.feature} is online already.")
                continue
            fills.append(_filled(filling, stored, record, place))
            told(f"{record.feature} is online: {fills[-1].rows} entities.")
        filling.publish(fills)
    return _noted(place, [record for _, record in found], fills)


def is_current(fill: Fill | None, record: Computation) -> bool:
    """Whether what is online is of a version."""
    return fill is not None and (fill.version, fill.computed_at) == (
        record.version,
        record.computed_at,
    )


def _filled(filling: Filling, stored: Stored, record: Computation, place: Place) -> Fill:
    """Write the values of a feature. Raises `FeatureFailed`."""
    import pyarrow as pa

    schema = schema_of(stored)
    value = pa.field("value", schema.field(stored.column).type)
    check_type(stored.feature, value.type)
    kinds = tuple(kind_of(schema.field(name).type) for name in stored.entity)
    rows = filling.add(
        stored.feature,
        (each for batch in newest(stored, place.data) for each in entries(batch, kinds)),
    )
    return Fill(
        feature=stored.feature,
        version=record.version,
        computed_at=record.computed_at,
        filled_at=datetime.now(UTC),
        rows=rows,
        entity=stored.entity,
        kinds=kinds,
        schema=pa.schema([value]).serialize().to_pybytes(),
    )


def _noted(
    place: Place, records: Sequence[Computation], fills: Sequence[Fill]
) -> list[Computation]:
    """Keep with the versions that they are online."""
    offline, done = Offline(place), {each.feature: each for each in fills}
    found = []
    with offline.writing(list(done)):
        for record in records:
            fill = done.get(record.feature)
            if fill is None:
                found.append(record)
                continue
            noted = replace(record, online_at=fill.filled_at, online_rows=fill.rows)
            if offline.version(record.feature, record.version) is not None:
                offline.note(noted)
            found.append(noted)
    return found


@overload
def online(
    place: Place,
    catalog: Catalog,
    keys: Request,
    names: Iterable[str],
    *,
    now: datetime | None = None,
) -> dict[str, Any]: ...
@overload
def online(
    place: Place,
    catalog: Catalog,
    keys: Sequence[Request],
    names: Iterable[str],
    *,
    now: datetime | None = None,
) -> list[dict[str, Any]]: ...
def online(
    place: Place,
    catalog: Catalog,
    keys: Request | Sequence[Request],
    names: Iterable[str],
    *,
    now: datetime | None = None,
) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the newest values of features, for one request or several.

    A request says the columns of the keys, and those from which features of the request are
    computed, by the very functions that training sets use. An entity that is not known has None,
    and so has one whose value is older than its ttl. Values are called as in training sets.

    Raises `InvalidInput` where a request lacks a column, `NotFound` for what is not online,
    `FeatureFailed`, `OnlineUnavailable`.
    """
    requests = [keys] if isinstance(keys, Mapping) else list(keys)
    if not all(isinstance(each, Mapping) for each in requests):
        raise InvalidInput("Ask by a dict of columns, or by a list of such.", field="keys")
    definitions = catalog.checked(names)
    columns = columns_of(definitions)
    values = _looked_up(place, needed(catalog, definitions), requests, now or datetime.now(UTC))
    on_demand = [each for each in definitions if each.on_demand]
    if on_demand and requests:
        values |= _computed(place, catalog, on_demand, requests, values)
    lists = {
        column: values[each.full_name].to_pylist() if requests else []
        for column, each in columns.items()
    }
    rows = [{name: each[place] for name, each in lists.items()} for place in range(len(requests))]
    return rows[0] if isinstance(keys, Mapping) else rows


def _looked_up(
    place: Place, definitions: Sequence[Definition], requests: Sequence[Request], now: datetime
) -> dict[str, pa.Array]:
    """Return the stored values that are asked for. Raises `NotFound`."""
    if not definitions:
        return {}
    found = open_online(place).read(
        [each.full_name for each in definitions],
        lambda fill: [fill.key(each) for each in requests],
    )
    values = {}
    for each in definitions:
        if each.full_name not in found:
            raise NotFound(
                f"{each.full_name} is not online. "
                f"Run: jupyter mlops features compute {each.full_name} --online"
            )
        values[each.full_name] = _valid(each, found[each.full_name], moment(now))
    return values


def _valid(definition: Definition, found: Found, now: int) -> pa.Array:
    """Return values, None for those that are older than the ttl."""
    ttl = definition.ttl
    oldest = None if ttl is None else now - ttl // timedelta(microseconds=1)
    values = []
    for content in found.entries:
        each = None if content is None else entry(content)
        old = each is None or (oldest is not None and each.at is not None and each.at < oldest)
        values.append(None if each is None or old else each.value)
    return typed(values, found.fill.type)


def _computed(
    place: Place,
    catalog: Catalog,
    definitions: Sequence[Definition],
    requests: Sequence[Request],
    values: Mapping[str, pa.Array],
) -> dict[str, pa.Array]:
    """Return features of the request, from its columns and stored values."""
    import pandas as pd

    from .engine import on_demand

    columns: dict[str, Any] = {}
    for each in definitions:
        for name in each.request:
            if name not in columns:
                columns[name] = _column(each, name, requests)
    columns |= {
        each.full_name: values[each.full_name].to_pandas() for each in needed(catalog, definitions)
    }
    frame = pd.DataFrame(columns, copy=False)
    found = on_demand(place, catalog, [each.full_name for each in definitions], frame)
    return {name: _array(found[name], name) for name in found.columns}


def _column(definition: Definition, name: str, requests: Sequence[Request]) -> pd.Series[Any]:
    """Return a column of requests. Raises `InvalidInput`."""
    import pandas as pd

    try:
        values = [each[name] for each in requests]
    except KeyError:
        raise InvalidInput(
            f"{definition.full_name} is computed from {name}, which the request lacks.", field=name
        ) from None
    if all(each is None for each in values):
        return pd.Series(values, dtype="float64")
    return pd.Series(values)


def _array(values: pd.Series[Any], name: str) -> pa.Array:
    import pyarrow as pa

    found = in_arrow(values, name)
    return found.chunk(0) if found.num_chunks == 1 else pa.concat_arrays(found.chunks)
