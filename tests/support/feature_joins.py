"""The same point-in-time join by several programs, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.stored import declared, project, store

FEATURES = 5
_DAY = 86_400
_TTL = 60

_FACTS = """
def told(rows, missing, seconds, cpu):
    import json
    facts = dict(line.split(":", 1) for line in open("/proc/self/status"))
    peak = int(facts["VmHWM"].split()[0]) * 1024
    names = "rows", "missing", "seconds", "cpu", "peak"
    print(json.dumps(dict(zip(names, (rows, missing, seconds, cpu, peak)))))
"""

OURS = """
import time
from pathlib import Path
import pandas as pd
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.core.features import Source
root = Path.cwd()
place = Place(
    root=root, modules=root / "features", data=root / ".mlops/features", online="",
    sources={"events": Source(name="events", path="events.csv")},
)
catalog = read_catalog(place)
entities = pd.read_parquet("entities.parquet")
began, spent = time.perf_counter(), time.process_time()
table = training_set(place, catalog, entities, [f"f{n}" for n in range(5)]).table
seconds, cpu = time.perf_counter() - began, time.process_time() - spent
told(len(table), int(table.f0.isna().sum()), seconds, cpu)
"""

PANDAS = """
import time
import pandas as pd
entities = pd.read_parquet("entities.parquet")
began, spent = time.perf_counter(), time.process_time()
table = entities.assign(row=range(len(entities))).sort_values("event_timestamp")
for n in range(5):
    feature = pd.read_parquet(f"f{n}.parquet").rename(columns={"at": "event_timestamp"})
    table = pd.merge_asof(
        table, feature, on="event_timestamp", by="key", tolerance=pd.Timedelta(days=60)
    )
table = table.sort_values("row").drop(columns="row")
seconds, cpu = time.perf_counter() - began, time.process_time() - spent
told(len(table), int(table.f0.isna().sum()), seconds, cpu)
"""

FEAST = """
import sys, time
from datetime import timedelta
from pathlib import Path
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64
kind = sys.argv[1]
store = FeatureStore(config=RepoConfig(
    project="shop", provider="local", registry=f"{kind}.db", entity_key_serialization_version=3,
    offline_store={"type": kind}, online_store={"type": "sqlite", "path": f"{kind}-online.db"},
))
key = Entity(name="key", join_keys=["key"], value_type=ValueType.INT64)
store.apply([key] + [
    FeatureView(
        name=f"v{n}", entities=[key], ttl=timedelta(days=60),
        schema=[Field(name=f"f{n}", dtype=Float64)],
        source=FileSource(path=str(Path(f"f{n}.parquet").absolute()), timestamp_field="at"),
    ) for n in range(5)
])
entities = pd.read_parquet("entities.parquet")
began, spent = time.perf_counter(), time.process_time()
names = [f"v{n}:f{n}" for n in range(5)]
table = store.get_historical_features(entity_df=entities, features=names).to_df()
seconds, cpu = time.perf_counter() - began, time.process_time() - spent
told(len(table), int(table.f0.isna().sum()), seconds, cpu)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a join took: seconds from files to a table, those of the processor, and bytes."""

    rows: int
    #: Rows for which the first feature is missing.
    missing: int
    seconds: float
    cpu: float
    #: Most memory of the process, as a whole.
    peak: int


def make_data(folder: Path, *, entities: int, values: int, keys: int) -> None:
    """Write five features of as many values, both as ours and as files, and rows of entities."""
    random = np.random.default_rng(6)
    begin = pd.Timestamp("2023-01-01", tz="UTC").value // 1000

    def times(first: int, count: int) -> pa.Array:
        seconds = random.integers(first * _DAY, 365 * _DAY, count)
        return pa.array(seconds * 1_000_000 + begin).cast(pa.timestamp("us", "UTC"))

    code = "".join(declared(f"f{each}", ttl=f"{_TTL}d") for each in range(FEATURES))
    place, catalog = project(folder, shop=code)
    for each in range(FEATURES):
        table = pa.table(
            {
                "key": random.integers(0, keys, values),
                "at": times(0, values).take(pa.array(range(values))),
                f"f{each}": random.normal(size=values),
            }
        ).sort_by("at")
        pq.write_table(table, folder / f"f{each}.parquet")
        store(place, catalog, f"f{each}", table, pieces=12)
    rows = pa.table(
        {
            "key": random.integers(0, keys, entities),
            "event_timestamp": times(_TTL, entities),
            "label": random.normal(size=entities),
        }
    )
    pq.write_table(rows, folder / "entities.parquet")


def measure(folder: Path, code: str, *arguments: str, python: Path | None = None) -> Measured:
    """Join in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    if python is not None:
        variables.pop("PYTHONPATH")
        variables["FEAST_USAGE"] = "False"
    done = subprocess.run(
        [python or sys.executable, "-W", "ignore", "-c", _FACTS + code, *arguments],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))
