"""What cannot be joined is told in a line, with the feature's name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_mlops.catalog import values as stored_values
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from jupyter_mlops.core.features import FeatureFailed
from tests.support.stored import ENTITIES, SPENT, Shop, declared, project, store, values


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a project with one feature that changes with time."""
    return Shop(tmp_path, declared("spent"), spent=SPENT)


def test_what_entities_lack(shop: Shop) -> None:
    """A column that is missing is named with the feature, and what could be meant."""
    with pytest.raises(InvalidInput, match=r"shop\.spent is found by the column key.*Is it keys\?"):
        shop.join(ENTITIES.rename(columns={"key": "keys"}))
    with pytest.raises(InvalidInput, match="They have: at, label"):
        shop.join(ENTITIES[["at", "label"]])
    with pytest.raises(InvalidInput, match="reset_index"):
        shop.join(ENTITIES.set_index("key"))
    with pytest.raises(InvalidInput, match=r"timestamp names the column att.* Is it at\?"):
        shop.join(ENTITIES, timestamp="att")
    with pytest.raises(InvalidInput, match=r"shop\.spent: the entities have a column spent"):
        shop.join(ENTITIES.assign(spent=1))
    twice = pd.concat([ENTITIES, ENTITIES[["key"]]], axis=1)
    with pytest.raises(InvalidInput, match="2 columns key"):
        shop.join(twice)


def test_what_is_no_time(shop: Shop) -> None:
    """Text, numbers and times of several zones are refused in a line that tells what to do."""
    for wrong in (["2020-01-01"] * 6, [1] * 6):
        with pytest.raises(
            InvalidInput, match=r"at holds .*, not times\. Convert it: .*to_datetime"
        ):
            shop.join(ENTITIES.assign(at=wrong), timestamp="at")
    zones = [dt.timezone(dt.timedelta(hours=hour)) for hour in (1, 2)]
    mixed = [dt.datetime(2020, 1, 1, tzinfo=zone) for zone in (*zones * 2, None, None)]
    for wrong in (mixed, [*mixed[:2] * 3], [*mixed[3:] * 2]):
        with pytest.raises(
            InvalidInput, match=r"shop\.spent changes with time: at holds times of several zones \("
        ):
            shop.join(ENTITIES.assign(at=pd.Series(wrong, dtype=object, index=ENTITIES.index)))
    far = np.array(["300000-01-01"] * 6, dtype="datetime64[s]")
    with pytest.raises(InvalidInput, match="at holds times too far from now"):
        shop.join(pa.table({"key": [1] * 6, "at": far}))


def test_keys_of_another_kind(shop: Shop) -> None:
    """Keys that can never equal the stored ones are refused, and so are mixed ones."""
    with pytest.raises(InvalidInput, match=r"shop\.spent: key holds numbers, but text among"):
        shop.join(ENTITIES.assign(key=list("abcdef")))
    with pytest.raises(InvalidInput, match="key cannot be read as a column of one type"):
        shop.join(ENTITIES.assign(key=[1, "a", 2.5, None, b"", ()]))


def test_what_is_no_table(shop: Shop) -> None:
    """Anything but a table is refused, and so is an unknown kind."""
    for wrong in ({"key": [1]}, [1], None, ENTITIES["key"]):
        with pytest.raises(InvalidInput, match="The entities must be a DataFrame"):
            shop.join(wrong)
    with pytest.raises(InvalidInput, match="as_: 'numpy' is none of pandas, polars, arrow"):
        shop.join(ENTITIES, as_="numpy")
    with pytest.raises(NotFound, match=r"Did you mean shop\.spent"):
        shop.join(ENTITIES, "spend")


def test_what_is_not_computed_or_damaged(tmp_path: Path) -> None:
    """A feature that cannot be read is named with what to do."""
    place, catalog = project(tmp_path, shop=declared("spent") + declared("city", timestamp=None))
    with pytest.raises(NotFound, match=r"features compute shop\.spent"):
        training_set(place, catalog, ENTITIES, ["spent"])
    record = store(place, catalog, "spent", SPENT)
    file = place.data / "shop/spent" / record.version / "0.parquet"
    content = file.read_bytes()
    for damaged in (b"", content[: len(content) // 2], content.replace(b"spent", b"spend")):
        file.write_bytes(damaged)
        with pytest.raises(FeatureFailed, match=r"shop\.spent: its stored values cannot be read"):
            training_set(place, catalog, ENTITIES, ["spent"])
    file.unlink()
    with pytest.raises(NotFound, match=r"shop\.spent"):
        training_set(place, catalog, ENTITIES, ["spent"])
    store(place, catalog, "city", pd.DataFrame({"key": [1, 1], "city": ["a", "b"]}))
    with pytest.raises(FeatureFailed, match=r"shop\.city has several values for one key"):
        training_set(place, catalog, ENTITIES, ["city"])
    store(place, catalog, "spent", SPENT.head(0))
    assert values(training_set(place, catalog, ENTITIES, ["spent"]).table["spent"]) == [None] * 6


def test_too_little_memory(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither memory nor disk can hold is told as that."""
    monkeypatch.setattr(stored_values, "_MEMORY", "100KB")
    with pytest.raises(FeatureFailed, match=r"memory|Memory"):
        shop.join(pd.concat([ENTITIES] * 5_000))
