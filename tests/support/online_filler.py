"""Fills an online store again and again: every value of a fill is its number."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec
import pyarrow as pa

from jupyter_mlops.catalog.encoding import Fill, entries
from jupyter_mlops.catalog.online import open_online
from jupyter_mlops.catalog.online_ports import Online
from jupyter_mlops.catalog.place import Place

FEATURES = ("shop.one", "shop.two")
#: As many as are written in several pieces.
KEYS = 50_000


def opened(url: str) -> Online:
    """Return the store at a URL."""
    return open_online(Place(root=Path(), modules=Path(), data=Path(), online=url))


def fill(store: Online, number: int) -> None:
    """Replace all values by a number."""
    values = pa.record_batch(
        {"k0": range(KEYS), "at": pa.nulls(KEYS, pa.int64()), "value": [number] * KEYS}
    )
    now = datetime.now(UTC)
    schema = pa.schema([("value", pa.int64())]).serialize().to_pybytes()
    with store.filling() as filling:
        made = [
            Fill(
                feature=each,
                version=str(number),
                computed_at=now,
                filled_at=now,
                rows=filling.add(each, entries(values, ["numbers"])),
                entity=("key",),
                kinds=("numbers",),
                schema=schema,
            )
            for each in FEATURES
        ]
        filling.publish(made)


def seen(store: Online) -> set[int | None]:
    """Return the different values that one look finds."""
    keys = [msgspec.msgpack.encode([each]) for each in range(0, KEYS, KEYS // 97)]
    found = store.read(FEATURES, lambda _fill: keys)
    assert set(found) == set(FEATURES)
    contents = [content for each in found.values() for content in each.entries]
    return {None if each is None else msgspec.msgpack.decode(each[8:]) for each in contents}


def main() -> None:
    """Fill until killed, or look until told to stop."""
    what, url = sys.argv[1:]
    store = opened(url)
    for number in count():
        if what == "fill":
            fill(store, number)
            sys.stdout.write(f"{number}\n")
        else:
            found = seen(store)
            sys.stdout.write(f"{' '.join(map(str, found))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
