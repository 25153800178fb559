"""Features are written for other systems, which take them and find what we find."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.catalog.exporters import amundsen, datahub, feast
from jupyter_mlops.catalog.joining import training_set
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog
from jupyter_mlops.catalog.storing import Offline
from tests.support import exported
from tests.support.feast import python as feast_python
from tests.support.mlflow_environments import make_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUPPORT = Path(__file__).parents[1] / "support"

Project = tuple[Place, Catalog]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with features, in a folder whose name has letters that patterns use."""
    root = tmp_path_factory.mktemp("exports") / "air [2013]"
    root.mkdir()
    return exported.make_project(root)


def run(*command: str | Path, folder: Path) -> str:
    """Run another environment's program, and return what it printed."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    quiet = {"FEAST_USAGE": "False", "DATAHUB_TELEMETRY_ENABLED": "false"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=known | quiet
    )
    assert done.returncode == 0, done.stderr.strip()[-1000:]
    return done.stdout


# -- Feast -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Used:
    """What Feast has made of a repository."""

    known: dict[str, Any]
    entities: pd.DataFrame
    joined: pd.DataFrame
    keys: dict[str, Any]
    served: dict[str, Any]


@pytest.fixture(scope="module")
def used(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Used:
    """A repository that Feast has applied, and used from somewhere else."""
    place, catalog = project
    repository = place.root / "exports" / "feast"
    done = feast.export(place, catalog, repository)
    assert [path.relative_to(repository).as_posix() for path in done.files] == [
        "feature_store.yaml",
        "features.py",
        "data/planes__age.parquet",
    ]
    told = run(feast_python().with_name("feast"), "-c", repository, "apply", folder=place.root)
    for name in exported.COMPUTED:
        assert f"Created feature view {view(name)}" in told
    folder = tmp_path_factory.mktemp("feast")
    entities, keys = exported.entities(3000), {"carrier": "AA", "origin": "EWR", "tail": 105}
    entities.to_parquet(folder / "entities.parquet")
    (folder / "keys.json").write_text(json.dumps(keys))
    run(feast_python(), "-P", SUPPORT / "use_feast.py", repository, folder, folder=folder)
    return Used(
        known=json.loads((folder / "known.json").read_text()),
        entities=entities,
        joined=pd.read_parquet(folder / "joined.parquet"),
        keys=keys,
        served=json.loads((folder / "served.json").read_text()),
    )


def view(name: str) -> str:
    """What a feature's view is called in Feast."""
    return name.replace(".", "__")


def column(name: str) -> str:
    """What a feature's column is called by Feast."""
    return f"{view(name)}__{name.rpartition('.')[2]}"


def test_feast_knows_the_features(project: Project, used: Used) -> None:
    """Keys, types, times to live, owners and descriptions are those of our catalog."""
    _place, catalog = project
    known = used.known
    assert known.keys() == {view(name) for name in exported.COMPUTED}
    for name in exported.COMPUTED:
        definition, found = catalog.find(name), known[view(name)]
        assert found["description"] == definition.description
        assert found["owner"] == (definition.owner or "")
        assert found["ttl"] == (definition.ttl.total_seconds() if definition.ttl else 0)
        assert found["keys"].keys() == set(definition.entity)
        assert found["timestamp"] == (definition.timestamp or "known_since")
        assert found["tags"]["code_hash"] == definition.code_hash
    assert known["flights__delay"]["keys"] == {"carrier": "String", "origin": "String"}
    assert known["flights__delay"]["fields"] == {"delay": "Float64"}
    assert known["flights__delay"]["tags"]["tags"] == "Delays, daily"
    assert known["flights__cancelled"]["fields"] == {"cancelled": "Int32"}
    assert known["flights__cancelled"]["tags"]["sensitivity"] == "restricted"
    assert known["planes__age"]["keys"] == {"tail": "Int64"}


def test_feast_joins_the_same_values(project: Project, used: Used) -> None:
    """Rows early, late, unknown or out of the ttl get what our own join gives them."""
    place, catalog = project
    rows, names = used.entities, exported.COMPUTED
    ours = training_set(place, catalog, rows, names, timestamp="event_timestamp").table
    ours = ours.sort_values("event_timestamp")
    theirs = used.joined.sort_values("event_timestamp")
    assert len(theirs) == len(ours) == len(rows)
    for name in names:
        mine, their = ours[name.rpartition(".")[2]], theirs[column(name)]
        assert 0 < mine.isna().sum() < len(mine), name
        assert (mine.isna().to_numpy() == their.isna().to_numpy()).all(), name
        assert (mine.dropna().to_numpy() == their.dropna().to_numpy()).all(), name


def test_feast_serves_the_newest_values(project: Project, used: Used) -> None:
    """Its own online store is filled from our files, those of what never changes included."""
    place, catalog = project
    for name in exported.COMPUTED:
        found = pd.concat(pd.read_parquet(each) for each in Offline(place).files(name))
        for key in catalog.find(name).entity:
            found = found[found[key] == used.keys[key]]
        newest = found[name.rpartition(".")[2]].iloc[-1]
        assert used.served[column(name)] == (None if pd.isna(newest) else newest), name


# -- DataHub ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def datahub_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with DataHub's own command."""
    return make_environment(tmp_path_factory.mktemp("datahub"), "acryl-datahub==1.7.0.17")


@pytest.fixture(scope="module")
def amundsen_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Amundsen's databuilder."""
    return make_environment(tmp_path_factory.mktemp("amundsen"), "amundsen-databuilder==7.5.1")


def read(python: Path, system: str, folder: Path) -> Any:
    """What another system reads of a folder."""
    return json.loads(
        run(python, "-P", SUPPORT / "validate_features.py", system, ".", folder=folder)
    )


def spoil(path: Path, good: str, bad: str) -> None:
    """Change a file."""
    text = path.read_text("utf-8")
    assert good in text
    path.write_text(text.replace(good, bad), "utf-8")


def test_datahub_takes_the_features(project: Project, datahub_python: Path, tmp_path: Path) -> None:
    """Tables, keys and features are valid by its schemas, and linked; what is spoilt is refused."""
    place, catalog = project
    datahub.export(place, catalog, tmp_path)
    check = ("check", "metadata-file", "features.json")
    command = datahub_python.with_name("datahub")
    assert "all valid" in run(command, *check, folder=tmp_path)
    known = read(datahub_python, "datahub", tmp_path)
    table = "air [2013].flights.by_carrier_origin"
    urn = f"urn:li:mlFeature:({table},delay)"
    properties = known[f"urn:li:mlFeatureTable:(urn:li:dataPlatform:jupyter-mlops,{table})"]
    properties = properties["mlFeatureTableProperties"]
    assert properties["mlFeatures"] == [urn]
    keys = [f"urn:li:mlPrimaryKey:({table},{each})" for each in ("carrier", "origin")]
    assert properties["mlPrimaryKeys"] == keys
    assert known[keys[0]]["mlPrimaryKeyProperties"]["dataType"] == "TEXT"
    feature = known[urn]["mlFeatureProperties"]
    assert feature["description"] == catalog.find("flights.delay").description
    assert feature["dataType"] == "CONTINUOUS"
    source = "urn:li:dataset:(urn:li:dataPlatform:file,air [2013]/flights.parquet,PROD)"
    assert feature["sources"] == [source]
    assert known[urn]["ownership"]["owners"][0]["owner"] == "urn:li:corpuser:ada@example.org"
    assert [each["tag"] for each in known[urn]["globalTags"]["tags"]] == [
        "urn:li:tag:Delays",
        "urn:li:tag:daily",
    ]
    features = [each for each in known if each.startswith("urn:li:mlFeature:")]
    assert len(features) == len(catalog.definitions)
    spoil(tmp_path / "features.json", '"CONTINUOUS"', '"SMOOTH"')
    with pytest.raises(AssertionError):
        read(datahub_python, "datahub", tmp_path)


# -- Amundsen --------------------------------------------------------------------------------------


def test_amundsen_takes_the_features(
    project: Project, amundsen_python: Path, tmp_path: Path
) -> None:
    """Its models take every row and make one graph of them; what is spoilt is refused."""
    place, catalog = project
    amundsen.export(place, catalog, tmp_path)
    known = read(amundsen_python, "amundsen", tmp_path)
    version = Offline(place).latest("flights.delay").version  # type: ignore[union-attr]
    nodes = {(each["LABEL"], each["KEY"]): each for each in known["nodes"]}
    key = f"flights/delay/{version}"
    feature = nodes["Feature", key]
    assert (feature["entity"], feature["data_type"]) == ("carrier, origin", "double")
    description = nodes["Description", f"{key}/_description"]["description"]
    assert description == catalog.find("flights.delay").description
    code = nodes["Feature_Generation_Code", f"{key}/_generation_code"]
    assert code["text"] == catalog.find("flights.delay").code
    assert sum(label == "Feature" for label, _ in nodes) == len(catalog.definitions)
    linked = {
        (each["TYPE"], each["END_KEY"]) for each in known["relations"] if each["START_KEY"] == key
    }
    assert linked >= {
        ("GROUPED_BY", "flights"),
        ("OWNER", "ada@example.org"),
        ("TAGGED_BY", "daily"),
        ("FEATURE_AVAILABLE_IN", "database://parquet"),
        ("WATERMARK", f"{key}/high_watermark"),
    }
    spoil(tmp_path / "owner.csv", key, "flights/delay/none")
    with pytest.raises(AssertionError, match="no node"):
        read(amundsen_python, "amundsen", tmp_path)
