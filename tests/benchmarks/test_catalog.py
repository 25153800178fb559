"""A catalog of 5,000 features: searching it, and opening the list, by a real worker."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.feature_operations import GET_FEATURE, LIST_FEATURES
from jupyter_mlops.app.places import place_of
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import Computation, Statistics, Why
from tests.support import workers
from tests.support.catalog import write_group

GROUPS, EACH = 50, 100
ROUNDS = 7
#: Rows that the panel asks for at a time.
PAGE = 100
FEATURE = '''
@mlops.feature(entity="customer", timestamp="at", ttl="7d", owner="team{owner}", tags=["t{tag}"])
def total_{number}(orders: pd.DataFrame) -> pd.DataFrame:
    """What a customer has spent within {number} orders, as feature {number} of group {group}."""
    spent = orders.groupby("customer")["amount"].rolling({number}).sum()
    return orders[["customer", "at"]].assign(total_{number}=spent + {group})
'''


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project of 5,000 features, all computed, and its worker."""
    settings = '[features.sources.orders]\npath = "orders.csv"\n'
    folder = workers.make_project(tmp_path_factory.mktemp("large"), settings)
    (folder / "orders.csv").write_text("customer,at,amount\n", "utf-8")
    for group in range(GROUPS):
        functions = (
            FEATURE.format(number=i + 1, group=group, owner=i % 7, tag=i % 5) for i in range(EACH)
        )
        write_group(folder, f"group_{group}", "".join(functions))
    _compute_all(folder)
    with workers.worker(folder) as found:
        yield found


def _compute_all(folder: Path) -> None:
    """Write what computing would have left of each feature."""
    place = place_of(find_project(folder))
    offline = Offline(place)
    now = datetime.now(UTC) + timedelta(minutes=1)
    for name, each in read_catalog(place).definitions.items():
        draft = offline.draft(name, "0123456789ab")
        record = Computation(
            feature=name,
            version="0123456789ab",
            code_hash=each.code_hash,
            sources={"orders": "x"},
            computed_at=now,
            why=Why.NEW,
            seconds=1.5,
            peak_memory=10**8,
            rows=1000,
            type="double",
            entity=each.entity,
            timestamp=each.timestamp,
            first=now,
            last=now,
            partitions=(),
            statistics=Statistics(
                rows=1000,
                missing=3,
                edges=tuple(float(i) for i in range(21)),
                counts=(50,) * 20,
            ),
        )
        draft.complete(record)
        offline.publish(record)


def median(work: Callable[[], object]) -> float:
    """Return the median of the seconds that something takes, once it is warm."""
    work()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def test_a_large_catalog(client: Client) -> None:
    """How long a search, the first page, the whole list and one feature take."""

    def listed(**query: object) -> m.FeaturesView:
        return client.call(LIST_FEATURES, query=m.FeaturesQuery(**query))  # type: ignore[arg-type]

    began = time.perf_counter()
    assert listed(limit=PAGE).total == GROUPS * EACH
    first = time.perf_counter() - began
    words = "spent total_77 group_3"
    assert listed(text=words).features[0].name == "group_3.total_77"
    figures = {
        "search, three words": median(lambda: listed(text=words)),
        "search, a page of 1,000 finds": median(lambda: listed(text="team4", limit=PAGE)),
        "search as one types, a page of 5,000 finds": median(lambda: listed(text="s", limit=PAGE)),
        "a page of the list": median(lambda: listed(limit=PAGE)),
        "the whole list": median(listed),
        "one feature": median(
            lambda: client.call(GET_FEATURE, query=m.FeatureQuery(), name="group_3.total_77")
        ),
    }
    print(f"\n{GROUPS * EACH:,} features; the first time, modules being read: {first:.2f} s")
    for name, seconds in figures.items():
        print(f"  {name:45} {seconds * 1000:7.1f} ms")
