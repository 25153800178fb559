"""Uses an exported repository as Feast's users do; runs in the environment that has Feast.

``python use_feast.py REPOSITORY FOLDER`` writes into FOLDER what Feast knows of the features
(``known.json``), the rows of ``entities.parquet`` with all features (``joined.parquet``), and what
it serves online for the keys in ``keys.json`` (``served.json``).
"""

import json
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
from feast import FeatureStore  # noqa: E402


def describe(store: FeatureStore) -> dict[str, object]:
    """What Feast knows of each feature view."""
    return {
        view.name: {
            "description": view.description,
            "owner": view.owner,
            "ttl": view.ttl.total_seconds(),
            "keys": {column.name: str(column.dtype) for column in view.entity_columns},
            "fields": {field.name: str(field.dtype) for field in view.features},
            "timestamp": view.batch_source.timestamp_field,
            "tags": dict(view.tags),
        }
        for view in store.list_feature_views()
    }


def serve(store: FeatureStore, names: list[str], keys: dict[str, object]) -> dict[str, object]:
    """What Feast serves for the keys, once its own online store is filled."""
    store.materialize(datetime(1970, 1, 1, tzinfo=UTC), datetime.now(UTC))
    found = store.get_online_features(names, entity_rows=[keys], full_feature_names=True)
    return {name: values[0] for name, values in found.to_dict().items()}


def main(repository: Path, folder: Path) -> None:
    """Write all three."""
    store = FeatureStore(repo_path=repository)
    known = describe(store)
    (folder / "known.json").write_text(json.dumps(known))
    names = [f"{view}:{field}" for view, each in known.items() for field in each["fields"]]
    entities = pd.read_parquet(folder / "entities.parquet")
    joined = store.get_historical_features(entities, names, full_feature_names=True)
    joined.to_df().to_parquet(folder / "joined.parquet")
    served = serve(store, names, json.loads((folder / "keys.json").read_text()))
    (folder / "served.json").write_text(json.dumps(served))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
