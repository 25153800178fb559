"""A version is built again from its record, in a clone with nothing but what git and DVC keep."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.reproducing import reproduce
from jupyter_mlops.core.exceptions import NotFound
from jupyter_mlops.core.verdicts import Outcome, Verdict, compare_metrics, largest_difference
from tests.support import workers
from tests.support.repositories import call, environment, make_repository
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: Where the notebook is to write which environment it was executed in.
PREFIX = "MLOPS_TESTS_PREFIX"
TRAIN = """
import os, pathlib, sys
import pandas as pd
from sklearn.linear_model import LogisticRegression
import helper
import jupyter_mlops as mlops

table = pd.read_csv("../data/flights.csv")
extra = pd.read_csv("../data/loose.csv")
train, test = table.iloc[:80], table.iloc[80:]
model = LogisticRegression(C=rate).fit(helper.features(train), train["late"])
mlops.log(accuracy=model.score(helper.features(test), test["late"]), shift=helper.SHIFT)

def featurize(requests):
    return helper.features(requests)

mlops.log_model(model, "flights", featurize=featurize, data={"train": train, "test": test},
                example=test[["hour", "distance"]])
if "MLOPS_TESTS_PREFIX" in os.environ:
    pathlib.Path(os.environ["MLOPS_TESTS_PREFIX"]).write_text(sys.prefix)
"""


@dataclass(frozen=True)
class Project:
    """A project whose code has changes that are not committed, with data in DVC and without."""

    folder: Path

    def register(self, client: Client) -> m.ModelVersionView:
        """Train with what is there, and register the model."""
        submitted = workers.submit(client, "notebooks/train.ipynb", space={"rate": "0.5"})
        sweep = workers.wait_for(client, submitted.id)
        run = workers.runs(client, sweep.id)[0]
        assert run.error is None
        body = m.RegisterRequest(run=run.id)
        return client.call(ops.REGISTER_MODEL, body=body, name="flights", timeout=None)

    def publish(self) -> None:
        """Commit the record and nothing else, and push what DVC has."""
        call("git", "add", "models", folder=self.folder)
        call("git", "commit", "--quiet", "--message", "Register", folder=self.folder)
        records = [str(each) for each in self.folder.glob("models/*/*/*.dvc")]
        targets = ["data/flights.csv.dvc", *records]
        call("dvc", "push", "--quiet", *targets, folder=self.folder)

    def clone(self, place: Path, *options: str) -> Path:
        """Clone it to another path."""
        url = self.folder.as_uri()
        call("git", "clone", "--quiet", *options, url, str(place), folder=place.parent)
        return place

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Without the project's folder and all that only it has."""
        away = self.folder.rename(self.folder.with_name("away"))
        yield
        away.rename(self.folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a registered and published version; the tests leave it as it is."""
    place = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch, made(place, patch) as (project, client):
        assert project.register(client).notices == []
        project.publish()
        workers.stop(project.folder)
        yield project


@contextmanager
def made(place: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Project, Client]]:
    """Make a project that has not been trained, and its worker."""
    folder = place / "project"
    for name, text in environment(folder).items():
        if name.startswith("DVC_"):
            patch.setenv(name, text)
    make_repository(folder, mlops_toml="")
    (folder / ".gitignore").write_text("runs/\n.mlops/\n__pycache__/\n/data/*.csv\n", "utf-8")
    (folder / "data").mkdir()
    rows = [f"{h % 24},{h * 7 % 900},{int(h % 24 > 11)}" for h in range(120)]
    (folder / "data" / "flights.csv").write_text("\n".join(["hour,distance,late", *rows]))
    (folder / "data" / "loose.csv").write_text("a\n1\n", "utf-8")
    call("dvc", "add", "--quiet", "data/flights.csv", folder=folder)
    call("dvc", "remote", "add", "--default", "store", str(place / "remote"), folder=folder)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "helper.py").write_text("SHIFT = 0\n", "utf-8")
    with workers.worker(folder) as client:
        workers.write(client, "rate: float = 1.0", TRAIN, name="notebooks/train.ipynb")
        call("git", "add", "--all", ".", folder=folder)
        call("git", "commit", "--quiet", "--message", "Train", folder=folder)
        helper = 'SHIFT = 7\n\ndef features(table):\n    return table[["hour", "distance"]]\n'
        (folder / "notebooks" / "helper.py").write_text(helper, "utf-8")
        yield Project(folder), client


def build(
    folder: Path, *, here: bool = True, note: Callable[[str], object] = lambda _: None
) -> Verdict:
    """Build version 1 again; the folder's worker ends with it."""
    try:
        return reproduce(find_project(folder), "flights", 1, here=here, tolerance=1e-6, note=note)
    finally:
        workers.stop(folder)


def test_from_a_fresh_clone(project: Project, tmp_path: Path) -> None:
    """Commit, uncommitted change, data, parameters and notebook make the same model elsewhere."""
    (tmp_path / "another place").mkdir()
    clone = project.clone(tmp_path / "another place" / "clone")
    assert not (clone / ".mlops").exists()
    with project.gone():
        verdict = build(clone)
    assert verdict.outcome is Outcome.SAME, verdict
    values = {each.name: (each.before, each.now) for each in verdict.metrics}
    assert values["shift"] == (7.0, 7.0)
    assert (verdict.predictions, verdict.largest_difference) == (20, 0.0)
    record = json.loads((clone / "models/flights/v1/reproduction.json").read_text("utf-8"))
    assert record["outcome"] == "same"
    assert call("git", "worktree", "list", folder=clone).count("\n") == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("installer", ["uv", "venv"])
def test_in_the_recorded_environment(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """Python and packages are installed as they were; nothing of that is left behind."""
    if installer == "venv":
        which = shutil.which

        def without_uv(name: str, **more: Any) -> str | None:
            return None if name == "uv" else which(name, **more)

        monkeypatch.setattr(shutil, "which", without_uv)
    monkeypatch.setenv(PREFIX, str(tmp_path / "prefix"))
    clone = project.clone(tmp_path / "clone")
    notes: list[str] = []
    with project.gone():
        verdict = build(clone, here=False, note=notes.append)
    assert verdict.outcome is Outcome.SAME, verdict
    assert verdict.environment == "recorded"
    assert (verdict.predictions, verdict.largest_difference) == (20, 0.0)
    installed = next(each for each in notes if each.startswith("Installing Python"))
    assert int(installed.split()[-2]) > 100
    prefix = Path((tmp_path / "prefix").read_text("utf-8"))
    assert prefix.parent.name.startswith("mlops-reproduce-")
    assert not prefix.parent.exists()
    assert prefix != Path(sys.prefix)


def test_noted_on_the_version(project: Project) -> None:
    """Where the registry knows the version, the verdict is a tag of it."""
    build(project.folder)
    with workers.worker(project.folder) as client:
        (version,) = client.call(ops.LIST_MODELS, query=m.ModelsQuery(name="flights"))
    assert version.tags["mlops.reproduced"].startswith("same ")


def test_data_are_gone(project: Project, tmp_path: Path) -> None:
    """Where the data cannot be had any more, it is said which, and nothing is left behind."""
    clone = project.clone(tmp_path / "clone")
    call("dvc", "remote", "modify", "store", "url", str(tmp_path / "empty"), folder=clone)
    with project.gone(), pytest.raises(NotFound, match=r"data/flights\.csv is missing"):
        build(clone)
    assert call("git", "worktree", "list", folder=clone).count("\n") == 1


def test_commit_is_gone(project: Project, tmp_path: Path) -> None:
    """In a shallow clone that lacks the commit it is said how to fetch it."""
    place = project.clone(tmp_path / "shallow", "--depth", "1")
    with pytest.raises(NotFound, match="git fetch --unshallow"):
        build(place)


def test_no_record(project: Project) -> None:
    """A version without a record is refused."""
    with pytest.raises(NotFound, match="no record models/flights/v2"):
        reproduce(
            find_project(project.folder), "flights", 2, here=True, tolerance=0, note=lambda _: None
        )


def test_without_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DVC has no remote, registering says what that will cost."""
    with made(tmp_path, monkeypatch) as (project, client):
        call("dvc", "remote", "remove", "store", folder=project.folder)
        assert "DVC has no remote" in project.register(client).notices[0]


def test_comparison() -> None:
    """Metrics and predictions are compared within a tolerance, NaN and infinity included."""
    nan = {"$float": "nan"}
    before = {"a": 1.0, "b": nan, "c": 2.0, "d": 3.0}
    found = compare_metrics(before, {"a": 1.0 + 1e-9, "b": nan, "c": 2.1}, 1e-6)
    assert [each.same for each in found] == [True, True, False, False]
    assert largest_difference([1.0, [2.0, 3.0]], [1.0, [2.0, 3.5]]) == 0.5
    assert largest_difference(["a"], ["b"]) == float("inf")
    assert largest_difference([1.0], [1.0, 2.0]) == float("inf")
