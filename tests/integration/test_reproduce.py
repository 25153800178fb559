"""A version is built again from its record, in a clone with nothing but what git and DVC keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

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

TRAIN = """
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
"""


class Project:
    """A project with a registered version, and clones of it."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder = folder
        self.client = client
        self.notices: list[str] = []

    def register(self) -> m.ModelVersionView:
        """Train with what is there, register, commit the record, and push the data."""
        submitted = workers.submit(self.client, "notebooks/train.ipynb", space={"rate": "0.5"})
        sweep = workers.wait_for(self.client, submitted.id)
        run = workers.runs(self.client, sweep.id)[0]
        assert run.error is None
        body = m.RegisterRequest(run=run.id)
        return self.client.call(ops.REGISTER_MODEL, body=body, name="flights", timeout=None)

    def publish(self) -> None:
        """Commit the record and nothing else, and push what DVC has."""
        call("git", "add", "models", folder=self.folder)
        call("git", "commit", "--quiet", "--message", "Register", folder=self.folder)
        records = [str(each) for each in self.folder.glob("models/*/*/*.dvc")]
        targets = ["data/flights.csv.dvc", *records]
        call("dvc", "push", "--quiet", *targets, folder=self.folder)

    def clone(self, place: Path) -> Path:
        """Clone it to another path."""
        call("git", "clone", "--quiet", str(self.folder), str(place), folder=self.folder)
        return place


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose code has changes that are not committed, with data in DVC and without."""
    folder = tmp_path / "project"
    for name, text in environment(folder).items():
        if name.startswith("DVC_"):
            monkeypatch.setenv(name, text)
    make_repository(folder, mlops_toml="")
    (folder / ".gitignore").write_text("runs/\n.mlops/\n__pycache__/\n/data/*.csv\n", "utf-8")
    (folder / "data").mkdir()
    rows = [f"{h % 24},{h * 7 % 900},{int(h % 24 > 11)}" for h in range(120)]
    (folder / "data" / "flights.csv").write_text("\n".join(["hour,distance,late", *rows]))
    (folder / "data" / "loose.csv").write_text("a\n1\n", "utf-8")
    call("dvc", "add", "--quiet", "data/flights.csv", folder=folder)
    call("dvc", "remote", "add", "--default", "store", str(tmp_path / "remote"), folder=folder)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "helper.py").write_text("SHIFT = 0\n", "utf-8")
    with workers.worker(folder) as client:
        workers.write(client, "rate: float = 1.0", TRAIN, name="notebooks/train.ipynb")
        call("git", "add", "--all", ".", folder=folder)
        call("git", "commit", "--quiet", "--message", "Train", folder=folder)
        helper = 'SHIFT = 7\n\ndef features(table):\n    return table[["hour", "distance"]]\n'
        (folder / "notebooks" / "helper.py").write_text(helper, "utf-8")
        yield Project(folder, client)


def build(folder: Path) -> Verdict:
    """Build version 1 again in the present environment; the clone's worker ends with it."""
    try:
        return reproduce(
            find_project(folder), "flights", 1, here=True, tolerance=1e-6, note=lambda _: None
        )
    finally:
        workers.stop(folder)


def test_from_a_fresh_clone(project: Project, tmp_path: Path) -> None:
    """Commit, uncommitted change, data, parameters and notebook make the same model elsewhere."""
    assert project.register().notices == []
    project.publish()
    clone = project.clone(tmp_path / "another place" / "clone")
    for left in (".mlops", "runs", ".dvc/cache"):
        shutil.rmtree(project.folder / left, ignore_errors=True)
    assert not (clone / ".mlops").exists()
    verdict = build(clone)
    assert verdict.outcome is Outcome.SAME, verdict
    values = {each.name: (each.before, each.now) for each in verdict.metrics}
    assert values["shift"] == (7.0, 7.0)
    assert (verdict.predictions, verdict.largest_difference) == (20, 0.0)
    record = json.loads((clone / "models/flights/v1/reproduction.json").read_text("utf-8"))
    assert record["outcome"] == "same"
    assert call("git", "worktree", "list", folder=clone).count("\n") == 1


def test_noted_on_the_version(project: Project) -> None:
    """Where the registry knows the version, the verdict is a tag of it."""
    project.register()
    project.publish()
    reproduce(
        find_project(project.folder), "flights", 1, here=True, tolerance=1e-6, note=lambda _: None
    )
    (version,) = project.client.call(ops.LIST_MODELS, query=m.ModelsQuery(name="flights"))
    assert version.tags["mlops.reproduced"].startswith("same ")


def test_data_are_gone(project: Project, tmp_path: Path) -> None:
    """Where the data cannot be had any more, it is said which, and nothing is left behind."""
    project.register()
    project.publish()
    clone = project.clone(tmp_path / "clone")
    shutil.rmtree(project.folder / ".dvc" / "cache")
    shutil.rmtree(tmp_path / "remote")
    with pytest.raises(NotFound, match=r"data/flights\.csv is missing"):
        build(clone)
    assert call("git", "worktree", "list", folder=clone).count("\n") == 1


def test_commit_is_gone(project: Project, tmp_path: Path) -> None:
    """In a shallow clone that lacks the commit it is said how to fetch it."""
    project.register()
    project.publish()
    place = tmp_path / "shallow"
    url = project.folder.as_uri()
    call("git", "clone", "--quiet", "--depth", "1", url, str(place), folder=tmp_path)
    with pytest.raises(NotFound, match="git fetch --unshallow"):
        build(place)


def test_no_record(project: Project) -> None:
    """A version without a record is refused."""
    with pytest.raises(NotFound, match="no record models/flights/v1"):
        build(project.folder)


def test_without_remote(project: Project) -> None:
    """Where DVC has no remote, registering says what that will cost."""
    call("dvc", "remote", "remove", "store", folder=project.folder)
    assert "DVC has no remote" in project.register().notices[0]


def test_comparison() -> None:
    """Metrics and predictions are compared within a tolerance, NaN and infinity included."""
    nan = {"$float": "nan"}
    before = {"a": 1.0, "b": nan, "c": 2.0, "d": 3.0}
    found = compare_metrics(before, {"a": 1.0 + 1e-9, "b": nan, "c": 2.1}, 1e-6)
    assert [each.same for each in found] == [True, True, False, False]
    assert largest_difference([1.0, [2.0, 3.0]], [1.0, [2.0, 3.5]]) == 0.5
    assert largest_difference(["a"], ["b"]) == float("inf")
    assert largest_difference([1.0], [1.0, 2.0]) == float("inf")
