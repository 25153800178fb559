"""A model that was trained with features: its card, its lineage, its endpoint, and drift."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.feature_operations import COMPUTE_FEATURES, GET_FEATURE, WATCH_FEATURES
from jupyter_mlops.app.model_operations import LINEAGE, MODEL_CARD
from jupyter_mlops.app.runtime import endpoint_address
from tests.support import served, workers
from tests.support.catalog import write_group
from tests.support.served import ask
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

SETTINGS = """
[features.sources.orders]
path = "orders.csv"
timestamp = "at"
"""
SHOP = '''
@mlops.feature(entity="customer", timestamp="at")
def spent(orders: pd.DataFrame) -> pd.DataFrame:
    """What a customer has spent so far."""
    total = orders.groupby("customer")["amount"].cumsum()
    return orders[["customer", "at"]].assign(spent=total)

@mlops.feature(entity="customer")
def per_visit(spent: pd.Series, visits: pd.Series) -> pd.Series:
    """What a customer spends at each visit."""
    return spent / visits
'''
TRAIN = """
import pandas as pd
import jupyter_mlops as mlops

rows = pd.DataFrame({
    "customer": [0, 1, 2, 0],
    "at": pd.to_datetime(["2026-01-10", "2026-01-20", "2026-01-21", "2026-01-22"]),
    "visits": [1, 2, 3, 4],
})
train = mlops.features.training_set(rows, ["shop.spent", "shop.per_visit"])

def predict(table):
    return (table["spent"] * 1000 + table["per_visit"]).to_numpy()

mlops.log_model(
    predict, "shop", data=train, example=train[["customer", "visits", "spent", "per_visit"]]
)
"""


def write_orders(folder: Path, amount: float = 1.5) -> None:
    """Write an order of each of three customers a day."""
    at = pd.date_range("2026-01-01", periods=30, freq="D").repeat(3)
    table = pd.DataFrame({"customer": [i % 3 for i in range(90)], "at": at, "amount": amount})
    table.to_csv(folder / "orders.csv", index=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project whose model was trained with two features and is registered."""
    folder = workers.make_project(tmp_path_factory.mktemp("shop"), SETTINGS)
    write_group(folder, "shop", SHOP)
    write_orders(folder)
    with workers.worker(folder) as started:
        compute(started)
        workers.write(started, TRAIN)
        trained = finished(started, workers.submit(started).id)
        body = m.RegisterRequest(run=trained.id, alias="champion")
        started.call(ops.REGISTER_MODEL, body=body, name="shop", timeout=None)
        yield started


def finished(client: Client, sweep: str, error: str | None = None) -> m.RunView:
    """Wait for the only run of a sweep."""
    workers.wait_for(client, sweep)
    (run,) = workers.runs(client, sweep)
    assert run.error == error
    return run


def compute(client: Client) -> None:
    """Compute all features and put them online."""
    finished(client, client.call(COMPUTE_FEATURES, body=m.ComputeRequest(online=True)).id)


def detail(client: Client, name: str = "shop.spent") -> m.FeatureDetail:
    """Return all that is known of a feature."""
    return client.call(GET_FEATURE, query=m.FeatureQuery(), name=name)


def test_the_card_names_features_and_they_name_the_model(client: Client) -> None:
    """Which features in which versions stands on the card; the feature's page leads back."""
    card = client.call(MODEL_CARD, name="shop", version="1")
    data = next(each.facts for each in card.parts if each.name == "data")
    kept = {each["feature"]: each for each in data["features"]}
    assert set(kept) == {"shop.spent", "shop.per_visit"}
    found = detail(client)
    assert found.feature.version == kept["shop.spent"]["version"]
    (model,) = found.models
    assert (model.name, model.version, model.aliases) == ("shop", 1, ["champion"])
    assert (model.feature_version, model.changed) == (found.feature.version, False)
    assert [each["path"] for each in data["files"]] == ["orders.csv"]


def test_lineage_by_features(client: Client) -> None:
    """A feature is a node between the data and the run, and finds its models."""
    found = client.call(LINEAGE, query=m.LineageQuery(node="feature:shop.spent"))
    names = {each.id for each in found.nodes}
    assert {"data:orders.csv", "feature:shop.spent", "version:shop/1"} <= names
    for wanted in ("spent", "shop.spent"):
        query = m.ModelsQuery(feature=wanted)
        assert [each.name for each in client.call(ops.LIST_MODELS, query=query)] == ["shop"]


def test_an_endpoint_fetches_features(client: Client) -> None:
    """A request says who and how often; the features come from the online store."""
    assert served.serve(client, "shop").error is None
    address = endpoint_address(client.project, "shop")

    def predictions(*rows: dict[str, Any]) -> Any:
        status, answer = ask(address, {"dataframe_records": list(rows)})
        assert status == 200, answer
        return answer["predictions"]

    assert detail(client).endpoints == ["shop"]
    assert predictions({"customer": 1, "visits": 3}) == [45_000 + 15]
    both = predictions({"customer": 0, "visits": 9}, {"customer": 7, "visits": 3})
    assert both[0] == 45_000 + 5
    assert math.isnan(both[1])
    given = {"customer": 1, "visits": 3, "spent": 1.0, "per_visit": 2.0}
    assert predictions(given) == [1002]
    status, answer = ask(address, {"dataframe_records": [{"visits": 3}]})
    assert status == 400
    assert "customer" in answer["message"]


def test_drift_since_training(client: Client) -> None:
    """Other values than at training are told, logged, and fail above what is allowed."""
    body = m.DriftRequest(model="shop", alias="champion", allowed=0.5)
    calm = finished(client, client.call(WATCH_FEATURES, body=body).id)
    assert calm.metrics["drift/shop.spent"] == 0
    write_orders(client.project.root, amount=700.0)
    compute(client)
    sweep = client.call(WATCH_FEATURES, body=body)
    workers.wait_for(client, sweep.id)
    (run,) = workers.runs(client, sweep.id)
    assert run.error is not None
    assert "Drift above 0.5: shop.spent" in run.error
    assert run.metrics["drift/shop.spent"] > 0.5
    finding = detail(client).drift
    assert finding is not None
    assert not finding.good
    (model,) = detail(client).models
    assert model.changed


def test_a_session_notes_its_features_too(client: Client) -> None:
    """A model that is made interactively tells of which features, during the session and after."""
    script = (
        "import jupyter_mlops as mlops\n"
        "with mlops.track() as session:\n"
        f"{textwrap.indent(TRAIN, '    ')}\n"
        "    mlops.register('early', session.id)\n"
        "mlops.register('late', session.id)\n"
    )
    folder = client.project.root
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, timeout=300)
    for name in ("early", "late"):
        card = client.call(MODEL_CARD, name=name, version="1")
        data = next(each.facts for each in card.parts if each.name == "data")
        assert [each["feature"] for each in data["features"]] == ["shop.spent", "shop.per_visit"]
        assert [each["path"] for each in data["files"]] == ["orders.csv"]
        packages = next(each for each in card.parts if each.name == "dependencies")
        assert packages.status == "present", packages
    assert {each.name for each in detail(client).models} == {"shop", "early", "late"}
