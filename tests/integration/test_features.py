"""Features from the shell, in a project with a real worker, from the catalog to the card."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.feature_operations import COMPUTE_FEATURES, GET_FEATURE, LIST_FEATURES
from jupyter_mlops.core.exceptions import MlopsError
from tests.support import workers
from tests.support.catalog import write_group
from tests.support.commands import Command, caller

SETTINGS = """
[features.sources.orders]
path = "orders.csv"
timestamp = "at"
owner = "shop"
freshness = "1d"

[features.access]
restricted = ["ada"]
"""
SHOP = '''
@mlops.feature(
    entity="customer", timestamp="at", ttl="520w", owner="ada", tags=["money"], cost="cheap"
)
def spent(orders: pd.DataFrame) -> pd.DataFrame:
    """What a customer has spent so far."""
    total = orders.groupby("customer")["amount"].cumsum()
    return orders[["customer", "at"]].assign(spent=total)

@mlops.feature(entity="customer", timestamp="at", owner="bob", sensitivity="restricted")
def largest(orders: pd.DataFrame) -> pd.DataFrame:
    """The largest amount so far."""
    most = orders.groupby("customer")["amount"].cummax()
    return orders[["customer", "at"]].assign(largest=most)

@mlops.feature(entity="customer")
def per_visit(spent: pd.Series, visits: pd.Series) -> pd.Series:
    """What a customer spends at each visit."""
    return spent / visits
'''


def orders(days: int) -> pd.DataFrame:
    """An order of each of three customers a day."""
    at = pd.date_range("2026-01-01", periods=days, freq="D").repeat(3)
    rows = range(len(at))
    return pd.DataFrame({"customer": [i % 3 for i in rows], "at": at, "amount": [1.5] * len(at)})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with three features and a worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("shop"), SETTINGS)
    write_group(folder, "shop", SHOP)
    orders(60).to_csv(folder / "orders.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", "ada")
        with workers.worker(folder):
            yield folder


@pytest.fixture
def mlops(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, typed in the project by Ada."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("LOGNAME", "ada")
    return caller(capsys)


def test_the_catalog(mlops: Command) -> None:
    """`list`, `search` and `show` tell of features without computing any."""
    listed = mlops("features", "list", "--json").record
    assert [each["name"] for each in listed] == ["shop.spent", "shop.largest", "shop.per_visit"]
    assert [each["state"] for each in listed][2] is None
    found = mlops("features", "search", "spen", "CUSTOMER", "--json").record
    assert [each["name"] for each in found] == ["shop.spent", "shop.per_visit"]
    assert mlops("features", "search", "nothing").out.startswith("None of 3 features fits.")
    assert [each["name"] for each in mlops("features", "list", "--tag", "money", "--json").record]
    shown = mlops("features", "show", "shop.per_visit").out
    assert "on demand" in shown
    assert "From the request: visits" in shown
    assert "From features: shop.spent" in shown
    assert "def per_visit" in shown


def test_a_feature_that_is_none(mlops: Command) -> None:
    """What could be meant is said."""
    outcome = mlops("features", "show", "spend")
    assert outcome.code == 1
    assert outcome.err == "Error: There is no feature spend. Did you mean shop.spent?\n"


def test_while_the_registry_is_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A feature is shown without the models that were trained with it, and why is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    folder = workers.make_project(tmp_path, f'tracking_uri = "http://127.0.0.1:{port}"\n{SETTINGS}')
    write_group(folder, "shop", SHOP)
    with workers.worker(folder), contextlib.chdir(folder):
        shown = caller(capsys)("features", "show", "shop.spent").out
    assert "def spent" in shown
    (line,) = (each for each in shown.splitlines() if each.startswith("Used by models: "))
    assert f"127.0.0.1:{port}" in line


def test_computed_once(mlops: Command, project: Path) -> None:
    """A run computes what is not fresh, says why, and tells what it took."""
    first = mlops("features", "compute", "spent", "--json").record
    assert first["status"] == "succeeded"
    again = mlops("features", "compute", "spent", "--force", "--json").record
    assert again["metrics"]["computed"] == 1
    fresh = mlops("features", "compute", "spent", "--json").record
    assert fresh["metrics"] == {"features": 1, "computed": 0, "rows": 0}
    text = (project / fresh["output"]).read_text("utf-8")
    assert "shop.spent is not computed" in text
    record = mlops("features", "show", "spent", "--json").record
    assert record["feature"]["state"] == "fresh"
    assert record["computation"]["rows"] == 180
    assert record["computation"]["seconds"] > 0
    assert record["computation"]["peak_memory"] > 1_000_000
    assert record["statistics"]["maximum"] == 90
    assert sum(record["statistics"]["counts"]) == 180
    orders(61).to_csv(project / "orders.csv", index=False)
    assert mlops("features", "show", "spent", "--json").record["feature"]["state"] == "sources"


def test_what_is_not_stored_is_not_computed(mlops: Command) -> None:
    """A feature of the request has no values in advance."""
    outcome = mlops("features", "compute", "per_visit")
    assert outcome.code == 2
    assert "shop.per_visit depends on the request (visits)" in outcome.err


def test_the_bad_window(mlops: Command) -> None:
    """A window that cannot be is refused before anything runs."""
    outcome = mlops("features", "compute", "--since", "2026-02-01", "--until", "2026-01-01")
    assert (outcome.code, outcome.err) == (2, "Error: until: the window ends before it begins.\n")
    outcome = mlops("features", "compute", "--backfill", "2026-02-01")
    assert outcome.code == 2
    assert "is no window. Write it like FROM..TO." in outcome.err


def test_values_that_one_may_not_read(
    mlops: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others see the entry, but neither values nor statistics, and cannot join by accident."""
    assert mlops("features", "compute", "largest", "--json").record["status"] == "succeeded"
    assert mlops("features", "show", "largest", "--json").record["statistics"] is not None
    client = workers.connect(project)
    query = m.FeatureQuery(user="eve")
    seen = client.call(GET_FEATURE, query=query, name="shop.largest")
    assert (seen.feature.readable, seen.feature.rows, seen.feature.last) == (False, None, None)
    assert (seen.statistics, seen.computation) == (None, None)
    assert seen.code.startswith("@mlops.feature(")
    listed = client.call(LIST_FEATURES, query=m.FeaturesQuery(user="eve")).features
    assert [each.readable for each in listed] == [True, False, True]
    monkeypatch.setenv("LOGNAME", "eve")
    import jupyter_mlops as api

    with pytest.raises(MlopsError, match=r"^eve may not read the values of shop\.largest"):
        api.features.training_set(orders(1), ["shop.largest"])
    body = m.ComputeRequest(user="eve")
    sweep = client.call(COMPUTE_FEATURES, body=body)
    workers.wait_for(client, sweep.id)
    (run,) = workers.runs(client, sweep.id)
    assert run.parameters["features"] == ["shop.spent"]
    assert run.parameters["left_out"] == ["shop.largest"]
    with pytest.raises(MlopsError, match=r"^eve may not read the values of shop\.largest"):
        client.call(COMPUTE_FEATURES, body=m.ComputeRequest(user="eve", features=["largest"]))


def test_a_training_set_in_a_run(mlops: Command, project: Path) -> None:
    """Rows of a file are joined, and the run keeps which features in which versions."""
    assert mlops("features", "compute", "spent", "--json").record["status"] == "succeeded"
    rows = pd.DataFrame(
        {
            "customer": [0, 1, 7, 0],
            "at": pd.to_datetime(["2026-01-10", "2025-01-01", "2026-01-10", "2026-01-10"]),
            "late": [0, 1, 0, 1],
        }
    )
    rows.to_parquet(project / "rows.parquet")
    joined = mlops(
        "features", "join", "spent", "--entities", "rows.parquet", "--output", "train.csv",
        "--label", "late", "--json",
    ).record  # fmt: skip
    assert joined["status"] == "succeeded"
    made = pd.read_csv(project / "train.csv")
    assert made["spent"].tolist()[::3] == [15.0, 15.0]
    assert made["spent"].isna().tolist() == [False, True, True, False]
    shown = mlops("runs", "show", joined["id"], "--json").record
    (kept,) = shown["context"]["features"]
    assert kept["feature"] == "shop.spent"
    assert len(kept["version"]) == 12
    assert kept["statistics"]["rows"] > 0


def test_written_from_the_shell(
    mlops: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions are written into a module; a change is shown and needs to be meant."""
    import io

    def define(text: str, *options: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        outcome = mlops("features", "define", "ads", *options)
        return outcome.code, outcome.out + outcome.err

    head = "import jupyter_mlops as mlops\n\n"
    text = (
        head + '@mlops.feature(entity="customer")\n'
        "def clicks(orders: pd.DataFrame) -> pd.DataFrame:\n    return orders\n"
    )
    code, out = define(text)
    assert code == 0
    assert out.startswith("Wrote features/ads.py: ads.clicks\n")
    assert (project / "features/ads.py").read_text("utf-8") == text.replace("\n\n@", "\n\n\n@")
    code, out = define(text)
    assert (code, out.splitlines()[0]) == (0, "features/ads.py says so already: ads.clicks")
    changed = text.replace("return orders", "return orders.head()")
    code, out = define(changed)
    assert code == 2
    assert out.endswith(
        "Error: features/ads.py defines clicks otherwise. Change it with --replace.\n"
    )
    assert "-    return orders\n+    return orders.head()" in out
    code, out = define(changed, "--replace")
    assert code == 0
    assert "return orders.head()" in (project / "features/ads.py").read_text("utf-8")
    code, out = define("def broken(:\n")
    assert (code, out) == (
        2,
        "Error: the cell: invalid syntax in line 1. Nothing was written.\n",
    )
    (project / "features/ads.py").unlink()


@pytest.mark.parametrize("system", ["feast", "datahub", "amundsen"])
def test_exported(mlops: Command, project: Path, system: str) -> None:
    """Files for other systems are written below the project, with what they cannot take."""
    assert mlops("features", "compute", "spent", "--json").record["status"] == "succeeded"
    outcome = mlops("features", "export", "spent", "per_visit", "--to", system, "--json")
    assert outcome.code == 0, outcome.err
    assert (project / f"exports/features-{system}").is_dir()
    assert all((project / each).is_file() for each in outcome.record["files"])


def test_json_of_the_list_is_a_list(mlops: Command) -> None:
    """What programs read is a list of records."""
    found = json.loads(mlops("features", "list", "--json").out)
    assert isinstance(found, list)


def test_online(mlops: Command, project: Path) -> None:
    """Computed online, the newest values are there at once, with those of the request."""
    import jupyter_mlops as api

    orders(62).to_csv(project / "orders.csv", index=False)
    done = mlops("features", "compute", "spent", "--online", "--json").record
    assert done["status"] == "succeeded"
    names = ["shop.spent", "shop.per_visit"]
    found = api.features.online({"customer": 1, "visits": 3}, names, project=project)
    assert found == {"spent": 93.0, "per_visit": 31.0}
    shown = mlops("features", "show", "spent", "--json").record
    assert shown["online_rows"] == 3
    assert shown["feature"]["online_at"] is not None


def test_checked_online_and_offline(mlops: Command, project: Path) -> None:
    """What is the same passes; what was computed since, and is not online, is told by its row."""
    assert (
        mlops("features", "compute", "spent", "--online", "--json").record["status"] == "succeeded"
    )
    good = mlops("features", "check", "spent", "--rows", "3", "--json").record
    assert (good["status"], good["metrics"]["different"]) == ("succeeded", 0)
    finding = mlops("features", "show", "spent", "--json").record["checked"]
    assert (finding["good"], finding["line"]) == (True, "the same online and offline in 3 rows")
    table = orders(63)
    table["amount"] = 2.5
    table.to_csv(project / "orders.csv", index=False)
    assert mlops("features", "compute", "spent", "--json").record["status"] == "succeeded"
    outcome = mlops("features", "check", "spent")
    assert outcome.code == 1
    assert "Not the same online and offline: shop.spent." in outcome.err
    finding = mlops("features", "show", "spent", "--json").record["checked"]
    assert not finding["good"]
    assert "3 of 3 rows differ" in finding["line"]
