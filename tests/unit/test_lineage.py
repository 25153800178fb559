"""What was made from what, forwards and backwards from each kind of node."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from jupyter_mlops.app.lineage import lineage
from jupyter_mlops.core.exceptions import NotFound
from jupyter_mlops.core.models import ModelVersion


def a_version(
    name: str, version: int, run: str | None, data: object, features: object
) -> ModelVersion:
    """A version of a model, with the tags that its card left."""
    return ModelVersion(
        name=name,
        version=version,
        aliases=("champion",),
        description="",
        tags={"mlops.data": json.dumps(data), "mlops.features": json.dumps(features)},
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        run_id=run,
        mlflow_run_id=None,
        metrics={},
        parameters={},
    )


#: Two models that share a column and a file, and one that nothing but a file is known of.
VERSIONS = [
    a_version("late", 1, "r-1", ["flights.csv", "weather.csv"], ["hour", "wind"]),
    a_version("fare", 1, "r-2", ["fares.csv"], ["hour"]),
    a_version("plain", 2, None, ["flights.csv"], "no list"),
]
ENDPOINTS = [("late", 1), ("fare", 9)]


@pytest.mark.parametrize(
    ("node", "reached"),
    [
        (
            "version:late/1",
            {"data:flights.csv", "data:weather.csv", "feature:hour", "feature:wind", "run:r-1"}
            | {"endpoint:late"},
        ),
        ("version:fare/1", {"data:fares.csv", "feature:hour", "run:r-2"}),
        (
            "data:flights.csv",
            {"feature:hour", "feature:wind", "run:r-1", "version:late/1", "endpoint:late"}
            | {"version:plain/2"},
        ),
        (
            "feature:wind",
            {"data:flights.csv", "data:weather.csv", "run:r-1", "version:late/1", "endpoint:late"},
        ),
        ("run:r-2", {"data:fares.csv", "feature:hour", "version:fare/1"}),
        (
            "endpoint:late",
            {"data:flights.csv", "data:weather.csv", "feature:hour", "feature:wind", "run:r-1"}
            | {"version:late/1"},
        ),
        ("version:plain/2", {"data:flights.csv"}),
    ],
)
def test_reached(node: str, reached: set[str]) -> None:
    """A node leads back to what it was made from and on to what was made of it, and no farther."""
    found = lineage(node, VERSIONS, ENDPOINTS)
    assert {each.id for each in found.nodes} == {node, *reached}
    ids = {each.id for each in found.nodes}
    assert all({source, target} <= ids for source, target in found.edges)


@pytest.mark.parametrize("name", ["late", "late@champion", "late@v1"])
def test_a_model_by_its_name(name: str) -> None:
    """The name of a model stands for its latest version, or for that of an alias."""
    assert lineage(name, VERSIONS, ENDPOINTS) == lineage("version:late/1", VERSIONS, ENDPOINTS)
    with pytest.raises(NotFound, match="late@nobody"):
        lineage("late@nobody", VERSIONS, ENDPOINTS)


def test_unknown() -> None:
    """What is not known is refused with how to write it."""
    with pytest.raises(NotFound, match=r"data:PATH"):
        lineage("data:nothing.csv", VERSIONS, ENDPOINTS)
